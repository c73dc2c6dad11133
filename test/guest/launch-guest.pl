# launch-guest.pl COMMAND...: runs a User-Mode Linux with a network, and takes all of it down with itself.
#
# In Perl because it is in every Debian, and Node can make neither a datagram socket pair nor a process that dies with
# its parent. NETWORK in COMMAND becomes the descriptor of a socket to libslirp-helper: a network in user space, in
# which the guest reaches the host's 127.0.0.1 as 10.0.2.2.
#
# SIGTERM is the power cut. Also sent by the kernel when the process that started this one dies.
use strict;
use warnings;
use Fcntl;
use Socket;

my ($SYS_prctl) = map { /x86_64/ ? 157 : 167 } `uname -m`;
my ($PR_SET_PDEATHSIG, $PR_SET_CHILD_SUBREAPER) = (1, 36);
my ($SIGKILL, $SIGTERM) = (9, 15);
sub prctl { syscall($SYS_prctl, $_[0], $_[1]) == 0 or die "prctl: $!" }

prctl($PR_SET_PDEATHSIG, $SIGTERM);
# UML's helper processes outlive it and hold the locks of its disks: as our children they can be waited for.
prctl($PR_SET_CHILD_SUBREAPER, 1);

socketpair(my $ours, my $theirs, AF_UNIX, SOCK_DGRAM, 0) or die "socketpair: $!";
for my $socket ($ours, $theirs) {
  setsockopt($socket, SOL_SOCKET, $_, pack('i', 1 << 20)) for SO_SNDBUF, SO_RCVBUF;
  fcntl($socket, F_SETFD, 0);    # inherited by the program
}

sub start {
  my ($unused, @command) = @_;
  my $pid = fork() // die "fork: $!";
  return $pid if $pid;
  prctl($PR_SET_PDEATHSIG, $SIGKILL);
  setpgrp(0, 0);
  close $unused;
  exec(@command) or die "$command[0]: $!";
}
my $network = start($ours, 'libslirp-helper', '--fd=' . fileno($theirs), '--exit-with-parent', '--mtu', '32000');
my $number = fileno($ours);
my $guest = start($theirs, map { s/NETWORK/$number/r } @ARGV);
close $ours;
close $theirs;

$SIG{$_} = sub { kill 'KILL', -$guest } for qw(TERM INT HUP);
1 while waitpid($guest, 0) != $guest;
my $status = $?;
kill 'KILL', -$guest, -$network;
1 while waitpid(-1, 0) > 0;
exit($status & 127 ? 128 + ($status & 127) : $status >> 8);
