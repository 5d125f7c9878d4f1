import { clientEvents } from '../base/channels.ts'
import type { FrontendDecoder } from '../wire/frontend-decoder.ts'
import type { StartupPacket } from '../wire/frontend-message.ts'
import { unsupportedProtocol } from '../wire/startup-packet.ts'
import type { ClientRegistry } from './client-registry.ts'
import type { ClientSocket } from './client-socket.ts'

export type StartupMessage = Extract<StartupPacket, { kind: 'StartupMessage' }>

/** The answer to SSLRequest and GSSENCRequest of a server that does not encrypt. */
const REFUSED = Buffer.from('N')

/**
 * Reads up to the StartupMessage. A client may ask for TLS and for GSSAPI once each, is refused, and may go on in the clear. A
 * CancelRequest is passed on and never answered. Undefined: there is nobody to serve.
 */
export async function readStartupMessage(
  socket: ClientSocket,
  decoder: FrontendDecoder,
  registry: ClientRegistry,
): Promise<StartupMessage | undefined> {
  const refused = new Set<StartupPacket['kind']>()
  for (;;) {
    const packet = await socket.next(() => decoder.pullStartupPacket())
    switch (packet?.kind) {
      case undefined:
        return undefined
      case 'StartupMessage':
        return packet
      case 'CancelRequest': {
        const isKnown = registry.cancel(packet.processId, packet.secretKey)
        clientEvents.publish({ kind: 'cancel', remoteAddress: socket.remoteAddress, isKnown })
        return undefined
      }
      case 'SSLRequest':
      case 'GSSENCRequest':
        if (refused.has(packet.kind)) {
          throw unsupportedProtocol(1234, packet.kind === 'SSLRequest' ? 5679 : 5680)
        }
        refused.add(packet.kind)
        await socket.send(REFUSED)
    }
  }
}
