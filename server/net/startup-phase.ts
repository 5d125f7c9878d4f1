import type { ByteWriter } from '../base/byte-writer.ts'
import { clientEvents } from '../base/channels.ts'
import { writeNegotiateProtocolVersion } from '../wire/backend-messages.ts'
import type { FrontendDecoder } from '../wire/frontend-decoder.ts'
import type { StartupPacket } from '../wire/frontend-message.ts'
import { NEWEST_MINOR_VERSION, unsupportedProtocol } from '../wire/startup-packet.ts'
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

/** Bytes of the cancel key (manual, section 55.7, BackendKeyData): 4 before protocol 3.2, then as many as PostgreSQL 18 sends. */
const OLD_KEY_SIZE_BYTES = 4
const KEY_SIZE_BYTES = 32

/**
 * Tells a client that asks for a newer minor version, or for options of the protocol, what it does not get
 * (src/backend/tcop/backend_startup.c, ProcessStartupPacket). Returns the size of the cancel key in the version that is spoken.
 */
export function negotiateProtocol(output: ByteWriter, startup: StartupMessage): number {
  const options = [...startup.parameters.keys()].filter((name) => name.startsWith('_pq_.'))
  const minorVersion = Math.min(startup.minorVersion, NEWEST_MINOR_VERSION)
  if (minorVersion < startup.minorVersion || options.length > 0) {
    writeNegotiateProtocolVersion(output, minorVersion, options)
  }
  return minorVersion < 2 ? OLD_KEY_SIZE_BYTES : KEY_SIZE_BYTES
}
