#!/bin/sh
# Makes a Debian machine one of the three of the Vagrantfile: Node, the project built, and the way from host1 to the others.
# Run as root by Vagrant, any number of times: provision.sh NAME ADDRESS-OF-HOST1 ADDRESS-OF-HOST2 ADDRESS-OF-OUTSIDER
set -eu

name=$1 host1=$2 host2=$3 outsider=$4
project=/vagrant
export DEBIAN_FRONTEND=noninteractive

# Debian 12 has Node 18; what a newer one needs is in a box of one's own (tools/vagrant/build-box.sh) or in NodeSource's archive.
node_is_there() {
	command -v node > /dev/null && [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ]
}
if ! node_is_there; then
	apt-get update -qq
	apt-get install -y -qq --no-install-recommends ca-certificates curl gnupg
	curl -fsSL https://deb.nodesource.com/gpgkey/nodesource-repo.gpg.key | gpg --dearmor --yes -o /usr/share/keyrings/nodesource.gpg
	echo 'deb [signed-by=/usr/share/keyrings/nodesource.gpg] https://deb.nodesource.com/node_20.x nodistro main' \
		> /etc/apt/sources.list.d/nodesource.list
	apt-get update -qq
	apt-get install -y -qq --no-install-recommends nodejs
fi
# Node asks its own list of authorities otherwise, which knows none that this machine was given.
export NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt

needed=$(for name in iperf3 iproute2 iputils-ping libbpf1 procps rsync; do
	dpkg-query -W -f '${db:Status-Status}' "$name" 2> /dev/null | grep -qx installed || echo "$name"
done)
if [ -n "$needed" ]; then
	apt-get update -qq
	# shellcheck disable=SC2086 # one word each
	apt-get install -y -qq --no-install-recommends $needed
fi

# Packages as root; what is built belongs to the one who will run it. The others get it from host1 (tools/traffic/ssh-machines.ts).
install -d -o vagrant -g vagrant "$project"
if [ "$name" = host1 ]; then
	cd "$project"
	node tools/setup.mjs
	chown -R vagrant: "$project"
	runuser -u vagrant -- node tools/build.mjs
fi

install -d -m 700 -o vagrant -g vagrant /home/vagrant/.ssh
touch /home/vagrant/.ssh/authorized_keys
grep -qxFf /run/traffic/key.pub /home/vagrant/.ssh/authorized_keys ||
	cat /run/traffic/key.pub >> /home/vagrant/.ssh/authorized_keys
chown vagrant: /home/vagrant/.ssh/authorized_keys
chmod 600 /home/vagrant/.ssh/authorized_keys

echo 'cd /vagrant' > /etc/profile.d/tortie.sh
if [ "$name" = host1 ]; then
	install -m 600 -o vagrant -g vagrant /run/traffic/key /home/vagrant/.ssh/traffic-key
	install -d /etc/tortie
	# tools/traffic/ssh-machines.ts reads it.
	cat > /etc/tortie/traffic.json <<-JSON
		{ "host1": "$host1", "host2": "$host2", "outsider": "$outsider" }
	JSON
fi
rm -rf /run/traffic
