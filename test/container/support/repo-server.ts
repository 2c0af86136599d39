import type { Container } from '../../../src/container/engine.ts';

const PORT = 8080;
const LOG = '/tmp/requests.log';

/** Perl is part of every Debian, unlike Python and Node. One request per connection; GET and HEAD of files. */
const SERVER = `
use strict;
use warnings;
use IO::Socket::INET;
my $root = '/srv';
my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1:${PORT}', Listen => 32, ReuseAddr => 1) or die "no socket: $!";
open(my $log, '>>', '${LOG}') or die;
$log->autoflush(1);
print $log "listening\\n";
$SIG{CHLD} = 'IGNORE';
while (my $client = $server->accept) {
    next if fork;
    my ($method, $path) = ((<$client> // '') =~ m{^(GET|HEAD) (/\\S*) HTTP/1}) or exit;
    while (defined(my $line = <$client>)) { last if $line =~ /^\\r?\\n$/ }
    $path =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
    my $there = $path !~ m{(^|/)\\.\\.(/|$)} && -f "$root$path" && open(my $file, '<:raw', "$root$path");
    print $log $there ? 200 : 404, " $path\\n";
    my $size = $there ? -s "$root$path" : 0;
    print $client "HTTP/1.1 ", $there ? '200 OK' : '404 Not Found', "\\r\\nContent-Length: $size\\r\\nConnection: close\\r\\n\\r\\n";
    if ($there && $method eq 'GET') { local $/; print $client scalar <$file> }
    exit;
}
`;

/** Serves /srv of a container on its loopback interface. @returns the URL */
export async function serveDirectory(container: Container): Promise<string> {
  const script = `setsid perl -e "$1" </dev/null >>${LOG} 2>&1 & for i in $(seq 100); do grep -q listening ${LOG} && exit 0; sleep 0.1; done; cat ${LOG}; exit 1`;
  const { status, stdout, stderr } = await container.exec(['sh', '-c', script, 'sh', SERVER]);
  if (status !== 0) throw new Error(`no server in ${container.name}: ${stdout}${stderr}`);
  return `http://127.0.0.1:${PORT}`;
}

/** Requests so far: `200 /site/InRelease`. */
export async function requests(container: Container): Promise<string[]> {
  return (await container.exec(['cat', LOG])).stdout.split('\n').filter((line) => line !== '');
}
