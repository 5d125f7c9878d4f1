import { createHash } from 'node:crypto'
import {
  closeSync,
  fchownSync,
  fstatSync,
  ftruncateSync,
  lchownSync,
  mkdirSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import type { RunAs } from './run-as.ts'

/*
 * A directory as one file. A cluster has a thousand files, but two thirds of them are the same in each of its databases, and half of their bytes are zeros:
 * equal contents are kept once, blocks of zeros not at all. It is not compressed: that saves 25 ms of CPU, and one small buffer will do, where
 * what an inflated archive had taken stayed with the process (up to 50 MB).
 *
 * The form: a digest of all that follows, the length of the index (4 bytes, big-endian), the index as JSON, the extents of all contents one after the other.
 */

interface Index {
  /** Below the directory; the outer ones come first. */
  readonly directories: readonly string[]
  readonly contents: readonly Content[]
}

/** What some files have in common. */
interface Content {
  readonly paths: readonly string[]
  readonly sizeBytes: number
  readonly extents: readonly Extent[]
}

/** Offset and length, in bytes, of what is not a hole. */
type Extent = readonly [number, number]

const DIGEST = 'sha256'
const DIGEST_BYTES = 32
const HEAD_BYTES = DIGEST_BYTES + 4
/** Zeros are looked for in blocks of a disk's sector. */
const BLOCK_BYTES = 512
const READ_BYTES = 256 * 1024
/** Files written before anybody else gets a turn: some 2 ms. */
const FILES_A_TURN = 64

/** Packs the files and directories below `root` for which `isWanted`; other things and all modes are left out. */
export async function packDirectory(
  root: string,
  isWanted: (path: string) => boolean,
): Promise<Buffer> {
  const directories: string[] = []
  const files = new Map<string, { bytes: Buffer; paths: string[] }>()
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name).slice(root.length + 1)
    if (!isWanted(path)) continue
    if (entry.isDirectory()) directories.push(path)
    if (!entry.isFile()) continue
    const bytes = await readFile(join(root, path))
    const key = bytes.toString('latin1')
    const same = files.get(key)
    if (same === undefined) files.set(key, { bytes, paths: [path] })
    else same.paths.push(path)
  }
  const data: Buffer[] = []
  const contents = [...files.values()].map(({ bytes, paths }): Content => {
    const extents = extentsOf(bytes)
    for (const [at, length] of extents) data.push(bytes.subarray(at, at + length))
    return { paths, sizeBytes: bytes.length, extents }
  })
  const index: Index = { directories: directories.sort(), contents }
  const json = Buffer.from(JSON.stringify(index))
  const length = Buffer.alloc(HEAD_BYTES - DIGEST_BYTES)
  length.writeUInt32BE(json.length)
  const body = Buffer.concat([length, json, ...data])
  return Buffer.concat([createHash(DIGEST).update(body).digest(), body])
}

function extentsOf(bytes: Buffer): Extent[] {
  const zeros = Buffer.alloc(BLOCK_BYTES)
  const extents: [number, number][] = []
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    const block = bytes.subarray(at, at + BLOCK_BYTES)
    if (block.equals(zeros.subarray(0, block.length))) continue
    const last = extents.at(-1)
    if (last !== undefined && last[0] + last[1] === at) last[1] += block.length
    else extents.push([at, block.length])
  }
  return extents
}

/**
 * Writes what {@link packDirectory} packed from a file into an empty directory: private files of `owner`, or of this process. Does not wait for the disk. Rejects
 * where the archive is missing (ENOENT) or damaged, or the disk is full.
 */
export async function unpackDirectory(
  archive: string,
  target: string,
  owner: RunAs | undefined,
): Promise<void> {
  const file = openSync(archive, 'r')
  try {
    const { directories, contents } = readIndex(file, archive)
    for (const path of directories) {
      mkdirSync(join(target, path), { mode: 0o700 })
      if (owner !== undefined) lchownSync(join(target, path), owner.uid, owner.gid)
    }
    const buffer = Buffer.allocUnsafeSlow(Math.max(0, ...contents.map(dataBytes)))
    let position = fstatSync(file).size - contents.reduce((sum, one) => sum + dataBytes(one), 0)
    let written = 0
    for (const content of contents) {
      const data = buffer.subarray(0, dataBytes(content))
      readFully(file, data, position)
      position += data.length
      for (const path of content.paths) {
        // A thousand small files by way of the thread pool take five times as long.
        writeContent(join(target, path), content, data, owner)
        if (++written % FILES_A_TURN === 0) await turn()
      }
    }
  } finally {
    closeSync(file)
  }
}

function dataBytes({ extents }: Content): number {
  return extents.reduce((sum, [, length]) => sum + length, 0)
}

/** The index, of an archive whose digest is right. */
function readIndex(file: number, archive: string): Index {
  const { size } = fstatSync(file)
  const head = Buffer.alloc(HEAD_BYTES)
  const hash = createHash(DIGEST)
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES)
  if (size > HEAD_BYTES) readFully(file, head, 0)
  for (let at = DIGEST_BYTES; at < size; at += READ_BYTES) {
    const part = buffer.subarray(0, Math.min(READ_BYTES, size - at))
    readFully(file, part, at)
    hash.update(part)
  }
  if (!hash.digest().equals(head.subarray(0, DIGEST_BYTES)))
    throw new Error(`${archive} is damaged`)
  const json = Buffer.alloc(head.readUInt32BE(DIGEST_BYTES))
  readFully(file, json, HEAD_BYTES)
  return JSON.parse(json.toString())
}

function readFully(file: number, into: Buffer, position: number): void {
  for (let done = 0; done < into.length; ) {
    const count = readSync(file, into, done, into.length - done, position + done)
    if (count === 0) throw new Error('the archive became shorter')
    done += count
  }
}

function writeContent(
  path: string,
  { sizeBytes, extents }: Content,
  data: Buffer,
  owner: RunAs | undefined,
): void {
  const file = openSync(path, 'wx', 0o600)
  try {
    let offset = 0
    for (const [at, length] of extents) {
      writeFully(file, data.subarray(offset, offset + length), at)
      offset += length
    }
    const [at, length] = extents.at(-1) ?? [0, 0]
    if (at + length < sizeBytes) ftruncateSync(file, sizeBytes)
    if (owner !== undefined) fchownSync(file, owner.uid, owner.gid)
  } finally {
    closeSync(file)
  }
}

function writeFully(file: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(file, bytes, done, bytes.length - done, position + done)
  }
}
