// Exits with 0 where Spanwire serves clients, else with 1 and the reason: for container engines, which know only commands.
const port = (process.env.SPANWIRE_HEALTH_LISTEN ?? '').split(':').at(-1)
try {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`, {
    signal: AbortSignal.timeout(7000),
  })
  process.stdout.write(await response.text())
  process.exitCode = response.ok ? 0 : 1
} catch (error) {
  process.stdout.write(`no answer from the health port: ${error.message}\n`)
  process.exitCode = 1
}
