import { type ChannelCredentials, credentials, Metadata } from '@grpc/grpc-js'
import { backendFailure } from './status.ts'
import { GRPC_CODE } from './transport.ts'

/** Scopes of google.spanner.v1 and of the admin services. */
const SCOPES = [
  'https://www.googleapis.com/auth/spanner.data',
  'https://www.googleapis.com/auth/spanner.admin',
]

/** Whatever can give the headers that prove an identity to `url`, as google-auth-library's clients do. */
export interface HeaderSource {
  getRequestHeaders(url?: string): Promise<Headers>
}

/** Where Google's identity comes from: a key file, or Application Default Credentials. */
export interface GoogleCredentialOptions {
  /** A service account's (or other) credentials file; absent means Application Default Credentials. */
  readonly keyFile?: string | undefined
}

/**
 * The identity of the environment or of a key file; rejects with a BackendError where there is none that can be used. Loads
 * google-auth-library only where it is needed (it costs 0.2 s).
 */
export async function googleHeaderSource(options: GoogleCredentialOptions): Promise<HeaderSource> {
  const { GoogleAuth } = await import('google-auth-library')
  const auth = new GoogleAuth({
    scopes: SCOPES,
    ...(options.keyFile === undefined ? {} : { keyFilename: options.keyFile }),
  })
  try {
    return await auth.getClient()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw backendFailure(
      { kind: 'unauthenticated' },
      GRPC_CODE.UNAUTHENTICATED,
      `no Google credentials: ${reason}`,
      error,
    )
  }
}

/**
 * TLS with an `authorization` header on every call. The metadata generator is written by hand: grpc-js's
 * createFromGoogleCredential expects a plain object where google-auth-library 10 gives WHATWG Headers, and would send no header
 * at all, silently. `rootCertificates` is PEM; absent means the system's roots.
 */
export function tlsCredentials(
  source: HeaderSource,
  rootCertificates?: Buffer,
): ChannelCredentials {
  const perCall = credentials.createFromMetadataGenerator(({ service_url }, callback) => {
    source.getRequestHeaders(service_url).then(
      (headers) => {
        const metadata = new Metadata()
        headers.forEach((value, name) => {
          metadata.set(name, value)
        })
        callback(null, metadata)
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error))),
    )
  })
  return credentials.combineChannelCredentials(
    credentials.createSsl(rootCertificates ?? null),
    perCall,
  )
}

/** Plaintext, for the emulator and for Unix sockets. */
export function plaintextCredentials(): ChannelCredentials {
  return credentials.createInsecure()
}
