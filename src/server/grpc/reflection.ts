/**
 * Server reflection (v1 and v1alpha) over the descriptors that a real compiler made (scripts/generate.sh). Those that
 * proto-loader derives carry camel-case field names and map entries that protobuf's own runtime refuses.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PackageDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { PROTO_DIRECTORY } from '../../base/proto-loading.ts';

const DESCRIPTORS_FILE = 'descriptors.binpb';
/** Field 1, length-delimited: `file` of google.protobuf.FileDescriptorSet, its only field. */
const FILE_TAG = 0x0a;

/** Made once per process; each server adds it to itself. */
export function loadReflection(): ReflectionService {
  const fileDescriptorProtos = splitDescriptorSet(readFileSync(join(PROTO_DIRECTORY, DESCRIPTORS_FILE)));
  // All that the service reads of a definition.
  return new ReflectionService({ keyturn: { fileDescriptorProtos } } as unknown as PackageDefinition);
}

function splitDescriptorSet(bytes: Buffer): Buffer[] {
  const files: Buffer[] = [];
  let position = 0;
  while (position < bytes.length) {
    if (bytes[position] !== FILE_TAG) throw new TypeError(`${DESCRIPTORS_FILE} is not a FileDescriptorSet`);
    position += 1;
    let length = 0;
    let byte: number;
    let shift = 0;
    do {
      byte = bytes.readUInt8(position);
      length |= (byte & 0x7f) << shift;
      shift += 7;
      position += 1;
    } while (byte >= 0x80);
    files.push(bytes.subarray(position, position + length));
    position += length;
  }
  return files;
}
