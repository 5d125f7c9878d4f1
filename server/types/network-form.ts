import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import {
  hostText,
  IPV4_BYTES,
  IPV6_BYTES,
  isNetwork,
  maxBits,
  type NetworkAddress,
  parseNetworkAddress,
} from './network-address.ts'
import { invalidBinary, mustHaveBytes } from './received-bytes.ts'
import type { TypeForm } from './type-form.ts'
import { readVarlena } from './varlena.ts'

/** PGSQL_AF_INET and PGSQL_AF_INET6 (utils/inet.h). */
const FAMILY_SIZES: ReadonlyMap<number, number> = new Map([
  [2, IPV4_BYTES],
  [3, IPV6_BYTES],
])

/**
 * inet, cidr: address and bits with a slash between, also where inet shows no bits. So both types have one form, as PostgreSQL
 * compares them with each other, and it is what a cast to text gives. It does not sort as addresses do.
 */
function networkForm(type: 'inet' | 'cidr'): TypeForm {
  const isCidr = type === 'cidr'
  return {
    storedAs: 'character varying',
    keeps: 'equality',
    store: (text) => {
      // Without bits a cidr is of a class.
      const stored =
        isCidr || text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`
      const parsed = parseNetworkAddress(stored)
      return parsed === undefined || (isCidr && !isNetwork(parsed)) ? undefined : stored
    },
    receive: (bytes, leftOver) => storedText(received(bytes, { type, leftOver })),
    print: (stored) => {
      const parsed = parseNetworkAddress(stored)
      return parsed === undefined ? undefined : shown(parsed, isCidr)
    },
    send: (stored) => {
      const parsed = parseNetworkAddress(stored)
      return parsed === undefined ? undefined : sent(parsed, isCidr)
    },
    datumText: (bytes) => {
      const data = readVarlena(bytes, 0)?.data
      const size = FAMILY_SIZES.get(data?.[0] ?? 0)
      if (data === undefined || size === undefined || data.length !== size + 2) return undefined
      const parsed = { address: data.subarray(2), bits: data[1] ?? 0 }
      return parsed.bits > maxBits(parsed) ? undefined : shown(parsed, isCidr)
    },
  }
}

export const inetForm = networkForm('inet')
export const cidrForm = networkForm('cidr')

function storedText({ address, bits }: NetworkAddress): string {
  return `${hostText(address)}/${bits}`
}

/** network_out: inet has no bits where all are the network's. */
function shown(network: NetworkAddress, isCidr: boolean): string {
  const isWhole = network.bits === maxBits(network)
  return isWhole && !isCidr ? hostText(network.address) : storedText(network)
}

/** network_recv: family, bits, whether it is a cidr (which nobody looks at), size, address. */
function received(
  bytes: Buffer,
  { type, leftOver }: { readonly type: string; readonly leftOver: string },
): NetworkAddress {
  mustHaveBytes(bytes, 1)
  const size = FAMILY_SIZES.get(bytes[0] ?? 0)
  if (size === undefined) throw invalidBinary(`invalid address family in external "${type}" value`)
  mustHaveBytes(bytes, 2)
  const bits = bytes[1] ?? 0
  if (bits > size * 8) throw invalidBinary(`invalid bits in external "${type}" value`)
  mustHaveBytes(bytes, 4)
  if (bytes[3] !== size) throw invalidBinary(`invalid length in external "${type}" value`)
  mustHaveBytes(bytes, 4 + size)
  const network = { address: bytes.subarray(4, 4 + size), bits }
  if (type === 'cidr' && !isNetwork(network)) {
    throw new PgError(SQL_STATE.invalidBinaryRepresentation, 'invalid external "cidr" value', {
      detail: 'Value has bits set to right of mask.',
    })
  }
  if (bytes.length > 4 + size) throw invalidBinary(leftOver)
  return network
}

function sent({ address, bits }: NetworkAddress, isCidr: boolean): Buffer {
  const family = address.length === IPV4_BYTES ? 2 : 3
  return Buffer.concat([Buffer.from([family, bits, isCidr ? 1 : 0, address.length]), address])
}
