# Where to measure. Sourced by run.
# shellcheck shell=bash

work=''  # for sockets, inputs and logs
place='' # on the file system that is measured

# A file system of its own is the same everywhere: an ext4 as mkfs makes it, with its journal, in an image whose every
# block was written before, so that no run pays for that, and past the page cache of the file system below.
mount_image() {
    local image=$work/image mib=$1 device
    dd if=/dev/zero of="$image" bs=1M count="$mib" oflag=direct status=none &&
        mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 -i 4096 "$image" &&
        device=$(losetup --find --show --direct-io=on "$image") || return
    cleanups+=("losetup --detach $device")
    mkdir "$work/mounted"
    mount -o noatime "$device" "$work/mounted" || return
    cleanups+=("umount $work/mounted")
}

# For what the rows leave, and the deepest queue in files of a block each.
image_size() {
    local deepest=0 depth
    for depth in $DEPTHS; do deepest=$((depth > deepest ? depth : deepest)); done
    echo $((64 + COUNT / 100 + deepest / 150))
}

file_system() { # DIRECTORY: its kind
    findmnt -n -o FSTYPE -T "$1" 2>/dev/null || stat -f -c %T "$1"
}

make_place() {
    local parent=$BENCH_DIR
    work=$(mktemp -d)
    cleanups+=("rm -rf $work")
    if [[ -z $parent ]]; then
        parent=$work
        say "making an image of $(image_size) MiB to measure in"
        if ((EUID == 0)) && mount_image "$(image_size)" 2>"$work/image.err"; then
            parent=$work/mounted
        else
            say "no image can be mounted here: measuring in $parent, a $(file_system "$parent"); better give BENCH_DIR"
        fi
    fi
    place=$(mktemp -d "$parent/mq-bench.XXXXXX")
    cleanups+=("rm -rf $place")
}

# ---- what goes in --------------------------------------------------------------------

prepare_input() {
    head -c 1024 /dev/zero | tr '\0' x >"$work/kib"
}

# The name of a file of COUNT lines, each of SIZE bytes and its newline, no two the same.
lines() { # SIZE COUNT
    local file=$work/lines-$1-$2
    [[ -e $file ]] || awk -v size="$1" -v count="$2" 'BEGIN {
        filler = sprintf("%" size - 8 "s", "")
        gsub(" ", "x", filler)
        for (i = 1; i <= count; i++)
            printf "%08d%s\n", i, filler
    }' >"$file"
    echo "$file"
}
