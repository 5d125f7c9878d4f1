/*
 * Addresses as inet and cidr print and read them (src/port/inet_net_ntop.c, src/backend/utils/adt/inet_net_pton.c).
 */

/** 4 or 16 bytes, and how many bits of them name the network. */
export interface NetworkAddress {
  readonly address: Buffer
  readonly bits: number
}

export const IPV4_BYTES = 4
export const IPV6_BYTES = 16
const IPV6_WORDS = 8

/** All bits that the address has. */
export function maxBits({ address }: Pick<NetworkAddress, 'address'>): number {
  return address.length * 8
}

/** `10.0.0.1`, `fe80::1`, without the bits. */
export function hostText(address: Buffer): string {
  return address.length === IPV4_BYTES ? address.join('.') : ipv6Text(address)
}

/** The longest run of zeros, the first of several, is left out; what embeds an IPv4 address shows it. */
function ipv6Text(address: Buffer): string {
  const words = Array.from({ length: IPV6_WORDS }, (_, i) => address.readUInt16BE(i * 2))
  const zeros = longestZeros(words)
  const embedsIpv4 =
    zeros.start === 0 && (zeros.length === 6 || (zeros.length === 5 && words[5] === 0xffff))
  const texts = words.map((word) => word.toString(16))
  if (embedsIpv4) texts.splice(6, 2, hostText(address.subarray(12)))
  if (zeros.length < 2) return texts.join(':')
  const end = zeros.start + zeros.length
  return `${texts.slice(0, zeros.start).join(':')}::${texts.slice(end).join(':')}`
}

function longestZeros(words: readonly number[]): { start: number; length: number } {
  let longest = { start: 0, length: 0 }
  let length = 0
  for (const [i, word] of words.entries()) {
    length = word === 0 ? length + 1 : 0
    if (length > longest.length) longest = { start: i + 1 - length, length }
  }
  return longest
}

const ADDRESS_AND_BITS = /^([0-9a-f.:]+)\/(0|[1-9]\d{0,2})$/

/** Reads `address/bits` with an address as {@link hostText} writes it; undefined for every other text. */
export function parseNetworkAddress(text: string): NetworkAddress | undefined {
  const [, host = '', bits = ''] = ADDRESS_AND_BITS.exec(text) ?? []
  const address = host.includes(':') ? ipv6Bytes(host) : ipv4Bytes(host)
  if (address === undefined || hostText(address) !== host) return undefined
  return Number(bits) > maxBits({ address }) ? undefined : { address, bits: Number(bits) }
}

function ipv4Bytes(text: string): Buffer | undefined {
  const octets = text.split('.').map(Number)
  const isWhole = octets.length === IPV4_BYTES && octets.every((octet) => octet <= 255)
  return isWhole ? Buffer.from(octets) : undefined
}

function ipv6Bytes(text: string): Buffer | undefined {
  const [head = '', tail, ...more] = text.split('::')
  const [before, after] = [wordsOf(head), wordsOf(tail ?? '')]
  if (before === undefined || after === undefined || more.length > 0) return undefined
  const missing = IPV6_WORDS - before.length - after.length
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined
  const address = Buffer.alloc(IPV6_BYTES)
  const words = [...before, ...Array.from({ length: missing }, () => 0), ...after]
  for (const [i, word] of words.entries()) address.writeUInt16BE(word, i * 2)
  return address
}

/** The words between colons, of which the last may be an IPv4 address. */
function wordsOf(text: string): readonly number[] | undefined {
  if (text === '') return []
  const parts = text.split(':')
  const ipv4 = parts.at(-1)?.includes('.') === true ? ipv4Bytes(parts.pop() ?? '') : Buffer.alloc(0)
  const words = parts.map((part) => Number.parseInt(part, 16))
  if (ipv4 === undefined || !words.every((word) => word <= 0xffff)) return undefined
  return ipv4.length === 0 ? words : [...words, ipv4.readUInt16BE(0), ipv4.readUInt16BE(2)]
}

/** Whether no bit beyond those of the network is set, as it must be in a cidr. */
export function isNetwork({ address, bits }: NetworkAddress): boolean {
  return address.every((byte, i) => {
    const own = Math.min(8, Math.max(0, bits - i * 8))
    return (byte & (0xff >> own)) === 0
  })
}
