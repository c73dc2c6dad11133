# mconsole.pl SOCKET WORDS...: one request to the management console of a User-Mode Linux; prints its answer, and exits
# with 1 where that is a refusal.
#
# In Perl because it is in every Debian, and Node has no datagram sockets with a path.
use strict;
use warnings;
use Socket;

my ($MAGIC, $VERSION, $LENGTH_MAX, $TIMEOUT_SECONDS) = (0xcafebabe, 2, 511, 30);
my ($console, @words) = @ARGV;
my $request = "@words";
die "a request has at most $LENGTH_MAX bytes\n" if length $request > $LENGTH_MAX;

# The answer goes to where the request came from.
my $ours = "$console.$$";
socket(my $socket, AF_UNIX, SOCK_DGRAM, 0) or die "socket: $!\n";
bind($socket, pack_sockaddr_un($ours)) or die "bind $ours: $!\n";
END { unlink $ours if defined $ours }
$SIG{ALRM} = sub { die "no answer for $TIMEOUT_SECONDS seconds\n" };
alarm $TIMEOUT_SECONDS;

send($socket, pack('LLLa512', $MAGIC, $VERSION, length $request, $request), 0, pack_sockaddr_un($console))
  or die "send: $!\n";
my ($error, $more) = (0, 1);
while ($more) {
  defined recv($socket, my $answer, 4096, 0) or die "recv: $!\n";
  ($error, $more, my $length, my $text) = unpack('LLLa*', $answer);
  print substr($text, 0, $length);
}
exit($error ? 1 : 0);
