/*
 * The page's heads: which bucket of a priority may be the first that holds something.
 *
 * Models page_note_arrival(), page_move_head() and lower() of lib/store/page.c, as cursor.c and move.c use them:
 * take_snapshot(), look_at_all() and note_heads(). PUTTERS put a message into any of three buckets, links first and
 * announces after; LOOKERS take a snapshot, list the buckets one by one, take the first message that they find, and
 * move the head.
 *
 * Checked: once nobody is at it, the head is not behind a bucket that holds a message that was announced. (A putter
 * that dies before it announces costs order, not the message: when the heads show nothing, all buckets are listed.)
 *
 * Mutations: NO_RECOUNT (the head is moved without reading the arrivals again), COUNT_LATE (the head is lowered before
 * the arrival is counted), SNAPSHOT_LATE (the snapshot is taken after the listing).
 */
#ifndef PUTTERS
#define PUTTERS 2
#endif
#ifndef LOOKERS
#define LOOKERS 2
#endif

#ifndef ROUNDS
#define ROUNDS 1
#endif

#define BUCKETS 3
#define NO_BUCKET 3

byte messages[BUCKETS];
byte head = NO_BUCKET;
byte arrivals;

/* lower(): a loop of compare-and-exchange */
inline lower(value)
{
    have = head;
    do
    :: value < have ->
        atomic {
            if
            :: head == have -> head = value; have = value
            :: else -> have = head
            fi
        }
    :: else -> break
    od
}

proctype putter()
{
    byte bucket, have;

    select(bucket : 0 .. BUCKETS - 1);
    messages[bucket]++;
#ifdef COUNT_LATE
    lower(bucket);
    arrivals++
#else
    arrivals++;
    lower(bucket)
#endif
}

proctype looker()
{
    byte seen_arrivals, seen_head, found, have, rounds;

again:
#ifndef SNAPSHOT_LATE
    seen_arrivals = arrivals;
    seen_head = head;
#endif
    found = 0;
    do
    :: found < BUCKETS ->
        if
        :: messages[found] > 0 -> break
        :: messages[found] == 0 -> found++
        fi
    :: else -> break
    od;
#ifdef SNAPSHOT_LATE
    seen_arrivals = arrivals;
    seen_head = head;
#endif
    if
    :: found != seen_head ->
        atomic { /* page_move_head(): found is NO_BUCKET where nothing was */
            if
            :: head == seen_head -> head = found
            :: else -> goto moved
            fi
        };
#ifndef NO_RECOUNT
        if
        :: arrivals != seen_arrivals -> lower(seen_head)
        :: else -> skip
        fi
#endif
    :: else -> skip
    fi;
moved:
    atomic { /* the claim */
        if
        :: found < BUCKETS && messages[found] > 0 -> messages[found]--
        :: else -> skip
        fi
    };
    rounds++;
    if
    :: rounds < ROUNDS -> goto again
    :: else -> skip
    fi
}

active proctype observer()
{
    timeout;
    assert(messages[0] == 0 || head == 0);
    assert(messages[1] == 0 || head <= 1);
    assert(messages[2] == 0 || head <= 2)
}

init
{
    byte n;
    atomic {
        n = 0;
        do
        :: n < PUTTERS -> run putter(); n++
        :: else -> break
        od;
        n = 0;
        do
        :: n < LOOKERS -> run looker(); n++
        :: else -> break
        od
    }
}
