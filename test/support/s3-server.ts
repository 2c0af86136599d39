import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import { execa } from 'execa';

/** .ci/run installs versitygw there, since no distribution packages it. */
process.env.PATH = [process.env.PATH, join(process.env.HOME ?? '/root', '.cache', 'kubeparcel', 'tools')].join(
  delimiter,
);

/** A real server of the S3 protocol: the gateway versitygw over a directory. It checks signatures of version 4. */
export interface S3Server {
  readonly endpoint: string;
  /** Credentials, endpoint and region for the SDK and the command. */
  readonly environment: Readonly<Record<string, string>>;
  /** Directory of the bucket. */
  readonly bucketDirectory: string;
  readonly client: S3Client;
  /** Makes the objects readable over HTTP without credentials, as for package managers, and returns the URL. */
  makePublic(): Promise<string>;
  /** Whether there are no connections, including those of clients that are gone. */
  isIdle(): boolean;
  stop(): Promise<void>;
}

export const BUCKET = 'packages';

/** @param directory an empty one for the server's data; its file system must have extended attributes */
export async function startS3Server(directory: string): Promise<S3Server> {
  const data = join(directory, 'data');
  const bucketDirectory = join(data, BUCKET);
  mkdirSync(bucketDirectory, { recursive: true });
  const port = await freePort();
  const [access, secret] = ['test-access', 'test-secret-of-no-worth'];
  const server = execa('versitygw', ['--port', `127.0.0.1:${port}`, '--health', '/health', '--quiet', 'posix', data], {
    env: { ROOT_ACCESS_KEY: access, ROOT_SECRET_KEY: secret },
    reject: false,
    all: true,
  });
  const endpoint = `http://127.0.0.1:${port}`;
  await Promise.race([
    answering(`${endpoint}/health`),
    server.then(({ all }) => Promise.reject(new Error(`versitygw ended: ${all}`))),
  ]);
  const credentials = { accessKeyId: access, secretAccessKey: secret };
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
  return {
    endpoint,
    environment: {
      AWS_ACCESS_KEY_ID: access,
      AWS_SECRET_ACCESS_KEY: secret,
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: 'us-east-1',
    },
    bucketDirectory,
    client,
    async makePublic() {
      const statement = {
        Effect: 'Allow',
        Principal: '*',
        Action: ['s3:GetObject'],
        Resource: [`arn:aws:s3:::${BUCKET}/*`],
      };
      const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
      await client.send(new PutBucketPolicyCommand({ Bucket: BUCKET, Policy }));
      return `${endpoint}/${BUCKET}`;
    },
    isIdle: () => connections(port) === 0,
    async stop() {
      client.destroy();
      server.kill('SIGTERM');
      await server;
    },
  };
}

/**
 * Connections that the server of a port has not closed yet, whether their clients still exist or not (proc(5),
 * /proc/net/tcp: local address and state in hex).
 */
function connections(port: number): number {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const [LISTENING, TIME_WAIT] = ['0A', '06'];
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => local?.endsWith(suffix) && state !== LISTENING && state !== TIME_WAIT).length;
}

async function answering(url: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const found = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (found) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing answers at ${url}`);
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
