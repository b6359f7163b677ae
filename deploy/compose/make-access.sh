#!/bin/sh
# Makes the password with which the gateway reaches Redis, unless that has been done, and writes what each of the two must know of it: Redis its hash, in
# REDIS_DIR/users.acl, and the gateway its configuration, in GATEWAY_DIR/gateway.json. Only these two containers have these directories.
#
# Usage: make-access.sh REDIS_DIR GATEWAY_DIR
set -eu
acl="$1/users.acl"
config="$2/gateway.json"
if [ -s "$acl" ] && [ -s "$config" ]; then exit 0; fi
# One may be left of an earlier pair. It is read-only, and without capabilities not even root can overwrite it.
rm -f "$acl" "$config"

password=$(head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n')
hash=$(printf %s "$password" | sha256sum | cut -d ' ' -f 1)

# What the gateway needs: data in its own keys and channels, its scripts, to hear what changes of what it caches (__redis__:invalidate), and to see how the server is
# set and how full it is, and that its log can be read back. It cannot change settings and users, delete everything, or read another's keys. `health` may only ask whether the server answers.
# `default` is off, so nobody can be it. It has all rights because Redis reads its log back as `default`, and would drop each transaction, and all that scripts wrote, without them.
cat > "$acl" <<ACL
user default off resetpass ~* &* +@all
user health on nopass -@all +ping
user petak on #$hash ~petak:* &petak:* &__redis__:invalidate -@all +@string +@bitmap +@hash +@list +@set +@sortedset +@stream +@keyspace +@scripting +@transaction +@pubsub +@connection -@admin -@dangerous -function -fcall -fcall_ro +info +config|get +acl|dryrun +time +dbsize +wait +waitaof
ACL
printf '{ "redisUrl": "redis://petak:%s@redis:6379" }\n' "$password" > "$config"
# The containers run as different users without rights over another's files.
chmod 0444 "$acl" "$config"
