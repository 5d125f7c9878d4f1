import { invalidBinary, mustHaveBytes } from './received-bytes.ts'
import type { TypeForm } from './type-form.ts'

/** macaddr, macaddr8: bytes in hexadecimal with colons between, which sort as the bytes do. */
function hardwareAddressForm(sizeBytes: number): TypeForm {
  const pattern = new RegExp(`^[0-9a-f]{2}(?::[0-9a-f]{2}){${sizeBytes - 1}}$`)
  const check = (text: string) => (pattern.test(text) ? text : undefined)
  return {
    storedAs: 'character varying',
    keeps: 'order',
    store: check,
    receive: (bytes, leftOver) => {
      const whole =
        sizeBytes === EUI64_BYTES && bytes.length === EUI48_BYTES ? widened(bytes) : bytes
      mustHaveBytes(whole, sizeBytes)
      if (whole.length > sizeBytes) throw invalidBinary(leftOver)
      return addressText(whole)
    },
    print: check,
    send: (stored) =>
      pattern.test(stored) ? Buffer.from(stored.replaceAll(':', ''), 'hex') : undefined,
    datumText: (bytes) => (bytes.length === sizeBytes ? addressText(bytes) : undefined),
  }
}

const EUI48_BYTES = 6
const EUI64_BYTES = 8

export const macaddrForm = hardwareAddressForm(EUI48_BYTES)
export const macaddr8Form = hardwareAddressForm(EUI64_BYTES)

/** macaddr8_recv: FF and FE come in between the halves of a shorter address. */
function widened(bytes: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, 3), Buffer.from([0xff, 0xfe]), bytes.subarray(3)])
}

function addressText(bytes: Buffer): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':')
}
