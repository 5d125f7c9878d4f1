let isArranged = false

/**
 * Ends the process, when nothing is left to do, without the clean-up of Node.js: that waits in a busy loop, for ever, for what was being written to a connection
 * that was reset (node::Environment::CleanupHandles of Node.js 20). Calling it again changes nothing.
 */
export function exitAtOnce(): void {
  if (isArranged) return
  isArranged = true
  process.on('exit', () => process.exit())
}
