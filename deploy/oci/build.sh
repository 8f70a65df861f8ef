#!/bin/sh
# Builds a container image of DECNET without a container engine: the program, the shared libraries it
# needs, a user and a state folder; no shell, no package manager.
#
#   deploy/oci/build.sh [-b PROGRAM] [-o FILE] [-n NAME]
#
#   -b PROGRAM   the built program (target/release/decnet)
#   -o FILE      the image, a tar file with an OCI image layout (decnet-image.tar)
#   -n NAME      its name (decnet)
#
# Needs no root; needs GNU tar, gzip, sha256sum and ldd. The same program and libraries give the same
# bytes. SOURCE_DATE_EPOCH is the image's date; that of the program when not set.
set -eu
umask 022

program=target/release/decnet
image=decnet-image.tar
name=decnet
# What the service runs as in the image: a number, so that engines can see that it is not root.
id=990

usage() { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p;}' "$0"; }
die() { echo "build.sh: $*" >&2; exit 1; }

while getopts b:o:n:h option; do
    case $option in
        b) program=$OPTARG ;;
        o) image=$OPTARG ;;
        n) name=$OPTARG ;;
        h) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
done
case $name in '' | *[!a-z0-9./_-]*) die "'$name' is not a name: a-z, 0-9 and ./_- are" ;; esac
[ -x "$program" ] || die "there is no program '$program'; say \`cargo build --release -p decnet\`"
tar --version 2> /dev/null | grep -q GNU || die "GNU tar is needed"
version=$("$program" --version | cut -d' ' -f2)
date=${SOURCE_DATE_EPOCH:-$(stat -c %Y "$program")}
created=$(date -u -d "@$date" +%Y-%m-%dT%H:%M:%SZ)
case $(uname -m) in
    x86_64) architecture='"architecture":"amd64"' ;;
    aarch64) architecture='"architecture":"arm64","variant":"v8"' ;;
    *) die "the decoy process's sandbox knows x86-64 and 64-bit ARM, not $(uname -m)" ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
root=$work/root
state=$work/state
layout=$work/layout
mkdir -p "$root/usr/bin" "$root/etc" "$root/dev" "$root/proc" "$root/sys" "$root/var/lib" \
    "$state/var/lib/decnet" "$layout/blobs/sha256"
cp "$program" "$root/usr/bin/decnet"

# The libraries, and what loads them, at the paths where the program looks for them.
libraries=$(ldd "$program" 2> /dev/null || true)
case $libraries in *'not found'*) die "a library is missing: $libraries" ;; esac
echo "$libraries" | sed -n 's/^.* => \(\/[^ ]*\) .*$/\1/p; s/^[[:space:]]*\(\/[^ ]*\) (.*$/\1/p' |
    while read -r library; do
        mkdir -p "$root$(dirname "$library")"
        cp -L "$library" "$root$library"
    done

cat > "$root/etc/passwd" << END
root:x:0:0:root:/:/sbin/nologin
decnet:x:$id:$id:DECNET:/var/lib/decnet:/sbin/nologin
END
cat > "$root/etc/group" << END
root:x:0:
decnet:x:$id:
END
# Without it names are looked up in no order that is documented.
echo 'hosts: files dns' > "$root/etc/nsswitch.conf"
chmod 0755 "$root/usr/bin/decnet"
chmod 0750 "$state/var/lib/decnet"

# One layer: everything is root's but the state folder.
layer=$work/layer.tar
pack() { tar --format=gnu --sort=name --mtime="@$date" --numeric-owner "$@"; }
pack -cf "$layer" --owner=0 --group=0 -C "$root" .
pack -rf "$layer" --owner=$id --group=$id -C "$state" --no-recursion ./var/lib/decnet
mkdir -m 1777 "$state/tmp"
pack -rf "$layer" --owner=0 --group=0 -C "$state" --no-recursion ./tmp

digest() { sha256sum "$1" | cut -d' ' -f1; }
# Moves a file to where its digest says, and says that and its size.
store() {
    stored=$(digest "$1")
    size=$(stat -c %s "$1")
    mv "$1" "$layout/blobs/sha256/$stored"
}
uncompressed=$(digest "$layer")
gzip -n "$layer"
store "$layer.gz"
layer=$stored
layer_size=$size

cat > "$work/config" << END
{"created":"$created",$architecture,"os":"linux","config":{"User":"$id:$id","Env":["PATH=/usr/bin","DECNET_STATE_DIR=/var/lib/decnet"],"Entrypoint":["/usr/bin/decnet"],"Cmd":["up"],"WorkingDir":"/var/lib/decnet","Volumes":{"/var/lib/decnet":{}},"StopSignal":"SIGTERM","Labels":{"org.opencontainers.image.title":"DECNET","org.opencontainers.image.version":"$version","org.opencontainers.image.licenses":"AGPL-3.0-or-later"}},"rootfs":{"type":"layers","diff_ids":["sha256:$uncompressed"]},"history":[{"created":"$created","created_by":"deploy/oci/build.sh"}]}
END
store "$work/config"
config=$stored
config_size=$size

cat > "$work/manifest" << END
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:$config","size":$config_size},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:$layer","size":$layer_size}]}
END
store "$work/manifest"
cat > "$layout/index.json" << END
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:$stored","size":$size,"annotations":{"org.opencontainers.image.ref.name":"$version"},"platform":{$architecture,"os":"linux"}}]}
END
echo '{"imageLayoutVersion":"1.0.0"}' > "$layout/oci-layout"
# What `docker load` and `podman load` of all ages read.
cat > "$layout/manifest.json" << END
[{"Config":"blobs/sha256/$config","RepoTags":["$name:$version"],"Layers":["blobs/sha256/$layer"]}]
END
pack -cf "$image" --owner=0 --group=0 -C "$layout" blobs index.json manifest.json oci-layout
echo "$image: $name:$version, $(($(stat -c %s "$image") / 1024)) KiB"
