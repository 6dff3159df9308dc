/*
 * Logs (lib/log/append.c, lib/log/retention.c): writers that append without a lock, and a process that removes what is no
 * longer kept.
 *
 * A writer finds an entry, takes the number behind it, locks that number's bucket for reading without waiting, opens the
 * bucket or makes it, looks that the entry before is in that very directory, or, if that is in another bucket, that the
 * beginning is not behind this one, and links. The entry that it begins with may be any one that is there: a hint is never
 * the truth. Retention moves the beginning to the first entry of a bucket that has entries, takes the buckets below out of
 * the log, and empties them
 * under the write lock on their number; if it does not get that, it leaves them. Each of them may stop for ever, or die,
 * between any two steps; a dead process has no locks.
 *
 * Directories are told apart from names: a writer may have a directory open that is no longer in the log, and a bucket
 * that was removed may be made again by a writer that is late. An entry is one message here, and a bucket has two.
 *
 * No number is ever given twice, none before the number below it, and none below the beginning.
 *
 * With PACKER a process replaces full buckets by equal ones of one entry, which is made under the lock for reading and
 * exchanged; the old one is emptied as retention does it.
 *
 *     NO_HOLD     writers link without the lock, and what is taken out is emptied at once
 *     NO_FLOOR    nobody looks at the beginning after opening a bucket
 *     BLIND       a writer believes the hint, and does not look for the entry before
 *     NO_LAST     retention takes the last bucket too, and the next writer begins at the beginning
 *     NO_COUNT    (PACKER) a writer looks whether an entry before is there, and not whether it is as long as it was
 *     BARE_PACK   (PACKER) the packer does without the lock while it reads
 *     EMPTY_NOW   (PACKER) the old bucket is emptied at once
 */
#define K 2       /* numbers of a bucket */
#ifndef BUCKETS
#define BUCKETS 3
#endif
#define NUMBERS (K * BUCKETS)
#define DIRS NUMBERS /* directories that there ever are */
#ifndef PACKERS
#define PACKERS 2
#endif
#ifndef WRITERS
#define WRITERS 2
#endif
#ifndef SENDS
#define SENDS 2
#endif

#ifndef FEW
#define FEW SENDS /* of the first writer */
#endif

#define B(number) ((number) / K)
#define NONE 255

bool given[NUMBERS];      /* the number was linked once */
bool has[DIRS * K];            /* the directory d has slot s: has[d * K + s] */
bool wide[DIRS];          /* slot 0 of the directory is an entry of both messages */
bool removed[DIRS];
byte made;                /* how many directories there were */
byte dir_of[BUCKETS];     /* by path; NONE: there is none */
byte begin;
byte readers[BUCKETS];
bool emptying[BUCKETS];

#define PATH_HAS(number) (dir_of[B(number)] != NONE && has[dir_of[B(number)] * K + (number) % K])

inline let_go()
{
    atomic {
        if
        :: held != NONE -> readers[held]--; held = NONE
        :: else
        fi
    }
}

proctype writer(byte most)
{
    byte sent = 0, before, number, dir, held = NONE, any;

again:
    let_go();
    if
    :: sent == most -> goto done
    :: sent < most
    :: true -> goto done /* it dies, or is stopped for ever, which is the same but for its lock */
    fi;
    /* The entry to begin with: any that is there, or none if there was never any. */
    atomic {
        before = NONE;
        number = 0;
        any = 0;
        do
        :: any < NUMBERS && PATH_HAS(any) ->
            before = any;
            number = any + (wide[dir_of[B(any)]] -> 2 : 1);
            break
        :: any < NUMBERS -> any++
        :: any == NUMBERS -> break
        od;
#ifdef BLIND
        if
        :: true
        :: before != NONE && number + 1 < NUMBERS -> number++; before = NONE
        fi;
#endif
        if
        :: before == NONE && given[0] && number == 0 -> number = begin /* it saw none of those that are there */
        :: else
        fi
    };
next:
    if
    :: number >= NUMBERS -> goto done
    :: else
    fi;
    if
    :: held == B(number) -> goto opened
    :: else
    fi;
    let_go();
#ifndef NO_HOLD
    atomic {
        if
        :: emptying[B(number)] -> goto again
        :: else -> readers[B(number)]++; held = B(number)
        fi
    };
#endif
    atomic {
        if
        :: dir_of[B(number)] == NONE && made == DIRS -> goto again
        :: dir_of[B(number)] == NONE && made < DIRS -> dir_of[B(number)] = made; made++
        :: dir_of[B(number)] != NONE
        fi;
        dir = dir_of[B(number)]
    };
#ifndef NO_FLOOR
    if
    :: !(before != NONE && B(before) == B(number)) && B(begin) > B(number) -> goto again
    :: else
    fi;
#endif
opened:
#ifndef BLIND
    if
    :: before != NONE && B(before) == B(number) && !has[dir * K + before % K] -> goto again
#ifndef NO_COUNT
    :: before != NONE && B(before) == B(number) && wide[dir] -> goto again
#endif
    :: else
    fi;
#endif
    if
    :: true -> goto done
    :: true
    fi;
    atomic {
        if
        :: removed[dir] -> goto again
        :: has[dir * K + number % K] ->
            before = number;
            number = number + (wide[dir] -> 2 : 1);
            goto next
        :: else ->
            assert(!given[number]);
            assert(number == 0 || given[number - 1]);
            assert(number >= begin);
            given[number] = true;
            has[dir * K + number % K] = true;
            sent++
        fi
    };
    goto again;
done:
    let_go()
}

proctype retention()
{
    byte to, number, slot, dir, last;

again:
    atomic {
        last = NONE;
        number = 0;
        do
        :: number < BUCKETS ->
            if
            :: dir_of[number] != NONE && (has[dir_of[number] * K] || has[dir_of[number] * K + 1]) -> last = number
            :: else
            fi;
            number++
        :: else -> break
        od
    };
    if
    :: last == NONE -> goto again
    :: last != NONE
    :: true -> goto done
    fi;
#ifdef NO_LAST
    last++;
#endif
    /* Forward to a bucket that has entries; what has none is no bucket. */
    atomic {
        to = B(begin) + 1;
        do
        :: to < last -> to++
        :: to <= last && to < BUCKETS -> break
        :: else -> goto again
        od
    };
    begin = to * K;
    number = 0;
    do
    :: number < to ->
        atomic {
            dir = dir_of[number];
            dir_of[number] = NONE
        };
        if
        :: dir != NONE ->
#ifndef NO_HOLD
            atomic {
                if
                :: readers[number] > 0 -> goto skip_bucket
                :: else -> emptying[number] = true
                fi
            };
#endif
            slot = 0;
            do
            :: slot < K -> has[dir * K + slot] = false; slot++
            :: else -> break
            od;
            atomic {
                if
                :: !has[dir * K] && !has[dir * K + 1] -> removed[dir] = true
                :: else
                fi
            };
#ifndef NO_HOLD
            emptying[number] = false;
#endif
        :: else
        fi;
skip_bucket:
        number++
    :: else -> break
    od;
    goto again;
done:
    skip
}

#ifdef PACKER
proctype packer()
{
    byte bucket, from, to, copied, old;
    bool held;
    if
    :: bucket = 0
    :: bucket = 1
    fi;
#ifndef BARE_PACK
    atomic {
        if
        :: emptying[bucket] -> goto done
        :: else -> readers[bucket]++; held = true
        fi
    };
#endif
    atomic {
        from = dir_of[bucket];
        if
        :: from == NONE || made == DIRS -> goto done
        :: else
        fi;
        if
        :: !has[from * K] || !has[from * K + 1] -> goto done
        :: else -> to = made; made++; removed[to] = false
        fi
    };
    if
    :: has[from * K] -> copied++
    :: else
    fi;
    if
    :: has[from * K + 1] -> copied++
    :: else
    fi;
    has[to * K] = true;
    wide[to] = true;
    if
    :: true
    :: true -> goto done
    fi;
    atomic {
        old = dir_of[bucket];
        if
        :: old == NONE -> goto done
        :: else -> dir_of[bucket] = to; assert(copied == K)
        fi
    };
#ifndef BARE_PACK
    atomic { readers[bucket]--; held = false };
#endif
    if
    :: true
    :: true -> goto done
    fi;
#ifndef EMPTY_NOW
    atomic {
        if
        :: readers[bucket] > 0 -> goto done
        :: else -> emptying[bucket] = true
        fi
    };
#endif
    has[old * K] = false;
    has[old * K + 1] = false;
    removed[old] = true;
#ifndef EMPTY_NOW
    emptying[bucket] = false;
#endif
done:
    atomic {
        if
        :: held -> readers[bucket]--
        :: else
        fi
    }
}
#endif

init
{
    byte i;
    atomic {
        for (i : 0 .. BUCKETS - 1) { dir_of[i] = NONE };
        run writer(FEW);
        for (i : 2 .. WRITERS) { run writer(SENDS) }
        run retention();
#ifdef PACKER
        for (i : 1 .. PACKERS) { run packer() }
#endif
    }
}
