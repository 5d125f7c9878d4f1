import type { RecordedCall } from './recording-proxy.ts'

/**
 * Whether a call is part of the look at a database's schema that Spanwire takes every minute while it has clients, whatever they do: on a busy
 * machine a test lasts long enough to meet it.
 */
export function isSchemaLook({ method, request }: RecordedCall): boolean {
  if (method !== 'ExecuteStreamingSql') return false
  return /\bFROM (?:spanwire\.versions|information_schema\.)/i.test(String(request()['sql']))
}

/** Whether it is the one call that every such look begins with. */
export function beginsSchemaLook(call: RecordedCall): boolean {
  return isSchemaLook(call) && String(call.request()['sql']).includes('spanwire.versions')
}
