import {
  writeAuthenticationOk,
  writeBackendKeyData,
  writeCommandComplete,
  writeReadyForQuery,
} from '../../server/wire/backend-messages.ts'
import type { ClientIo, Conversation, StartConversation } from '../../server/wire/client-io.ts'
import type { FrontendMessage } from '../../server/wire/frontend-message.ts'

/** Conversations that answer a Query with its own text as command tag, and record what happens to them. */
export class EchoServer {
  readonly conversations: EchoConversation[] = []
  /** What conversations do beyond echoing. */
  onMessage: (message: FrontendMessage, conversation: EchoConversation) => Promise<boolean> =
    async () => true
  onStartup: (conversation: EchoConversation) => Promise<boolean> = async () => true

  readonly start: StartConversation = (io) => {
    const conversation = new EchoConversation(io, this)
    this.conversations.push(conversation)
    return conversation
  }

  /** The only conversation so far. */
  get only(): EchoConversation {
    const [first, ...more] = this.conversations
    if (!first || more.length > 0) throw new Error(`${this.conversations.length} conversations`)
    return first
  }
}

export class EchoConversation implements Conversation {
  readonly io: ClientIo
  readonly messages: FrontendMessage[] = []
  parameters: ReadonlyMap<string, string> = new Map()
  isIdle = true
  cancelCount = 0
  closeCount = 0
  /** Calls that run at this moment, and the most that ever did. */
  running = 0
  mostRunning = 0
  readonly #server: EchoServer

  constructor(io: ClientIo, server: EchoServer) {
    this.io = io
    this.#server = server
  }

  async startup(parameters: ReadonlyMap<string, string>): Promise<boolean> {
    this.parameters = parameters
    const { output, processId, secretKey } = this.io
    if (!(await this.#server.onStartup(this))) return false
    writeAuthenticationOk(output)
    writeBackendKeyData(output, processId, secretKey)
    writeReadyForQuery(output, 'I')
    await this.io.flush()
    return true
  }

  async message(message: FrontendMessage): Promise<boolean> {
    this.messages.push(message)
    this.running += 1
    this.mostRunning = Math.max(this.mostRunning, this.running)
    try {
      return (await this.#server.onMessage(message, this)) && (await this.#answer(message))
    } finally {
      this.running -= 1
    }
  }

  cancel(): void {
    this.cancelCount += 1
  }

  async close(): Promise<void> {
    this.closeCount += 1
  }

  async #answer(message: FrontendMessage): Promise<boolean> {
    if (message.kind === 'Terminate') return false
    if (message.kind === 'Query') {
      writeCommandComplete(this.io.output, message.text)
      writeReadyForQuery(this.io.output, 'I')
      await this.io.flush()
    }
    return true
  }
}
