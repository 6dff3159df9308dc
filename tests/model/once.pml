/*
 * Sending once: one id, SENDERS processes that send it again and again, two processes that begin new slots.
 *
 * Models the steps of mq-spool(5), "Send once": a draft gets its name in tmp/, the mark is made, the sender looks whether
 * the slot is still the current one, the draft is renamed to ready/; whoever finds the mark of another sender does the
 * rename for it; a mark of the slot before is made worthless by voiding its draft, unless that was delivered; a mark
 * whose draft is void is followed by a mark of the next number. A new slot begins by voiding, by the rename of the one
 * name that says which slot is current, and by removing what is of no use any more.
 *
 * Models send_own(), deliver_own(), give_up(), help(), look_back() and judge() of lib/lifecycle/send_once.c, begin_next() of
 * lib/queue/sent_slots.c and lib/queue/sent_drafts.c. Left out: names that the queue loses, and removal of marks that a
 * cleaner or an administrator does.
 *
 * Each call of the file system is one step. A process may be passed over for as long as one likes (stopped) or for good
 * (killed) between any two. No clock is in it: a slot may end at any moment, which is more than clocks can do, also those
 * that are set back. A send may fail after its mark was made (a full disk): then it voids its own draft. Drafts are looked
 * through one by one.
 *
 * Checked: a send that is reported, as sent or as a duplicate, relies on a draft that was delivered (no loss); two drafts
 * that were delivered are of slots at least two apart (no two marks within a window lead to two deliveries); nothing of a
 * slot is delivered once the slot after the next has begun.
 *
 * Mutations: NO_LOOK (nobody looks at the slot after making a mark), NO_LOOK_HELP (nor after reading one), NO_PREVIOUS
 * (nobody looks for marks in the slot before), GONE_IS_SENT (a draft that is gone was delivered, void or not), UNDATED
 * (so it is if it is not void, whatever slot is current), UNLINK (a draft is voided by unlink), UNLINK_OWN (a sender
 * removes its own draft when it is late), HELP_PREVIOUS (a mark of the slot before is helped), NO_VOID (a slot begins
 * without voiding), REMOVE_FIRST (what is void goes before the new slot begins), SAME_MARK (a mark whose draft is void
 * is removed and made again under its name).
 */
#ifndef SENDERS
#define SENDERS 2
#endif
#ifndef LAST
#define LAST 4
#endif
#ifndef SENDS
#define SENDS 1 /* of one sender in one slot */
#endif
#define MARKS (SENDERS * SENDS + 1) /* of one id in one slot */
#define DRAFTS (SENDERS * (LAST + 1) * SENDS)
#define DRAFT(s, k, n) (((k) * SENDERS + (s)) * SENDS + (n))
#define SLOT(d) ((d) / (SENDERS * SENDS))
#define MARK(k, g) ((k) * MARKS + (g))

#define NONE 0 /* a name is never used again */
#define TMP 1  /* tmp/once-… */
#define VOID 2 /* tmp/void-… */
#define SENT 3 /* renamed to ready/ */
#define GONE 4 /* removed */

byte current = 1;
byte mark[(LAST + 1) * MARKS]; /* sent/SLOT/ID: the draft, and 1 */
byte draft[DRAFTS];

/* ---- what must hold ------------------------------------------------------------------ */

inline check(d)
{
    assert(current < SLOT(d) + 2);
    e = 0;
    do
    :: e < DRAFTS ->
        assert(e == d || draft[e] != SENT || SLOT(e) + 2 <= SLOT(d) || SLOT(d) + 2 <= SLOT(e));
        e++
    :: else -> break
    od;
    e = 0
}

/* ---- single calls -------------------------------------------------------------------- */

inline deliver(d, ok) { d_step { ok = (draft[d] == TMP); if :: ok -> draft[d] = SENT; check(d) :: else fi } }

#ifdef UNLINK
#define VOIDED GONE
#else
#define VOIDED VOID
#endif
inline void_it(d, ok) { d_step { ok = (draft[d] == TMP); if :: ok -> draft[d] = VOIDED :: else fi } }

#if defined(GONE_IS_SENT) || defined(UNLINK)
#define IS_VOID(d) false
#else
#define IS_VOID(d) (draft[d] == VOID)
#endif
#ifdef UNDATED
#define IS_OVER(k) false
#else
#define IS_OVER(k) (current != (k))
#endif

/* ---- senders ------------------------------------------------------------------------- */

proctype sender(byte me)
{
    byte k = 0, n = 0, g = 0, x = 0, d = 0, e = 0;
    bit ok = 0;

again:
    atomic {
        x = 0; ok = 0; d = 0; g = 0;
        if
        :: current > k -> k = current; n = 0
        :: else -> if :: n + 1 < SENDS -> n++ :: else -> current > k; k = current; n = 0 fi
        fi
    };
#ifndef NO_PREVIOUS
previous:
    atomic { x = mark[MARK(k - 1, g)]; if :: x == 0 -> goto begin :: else fi };
#ifdef HELP_PREVIOUS
    deliver(x - 1, ok);
    if :: ok -> goto again :: else fi;
    ok = 0;
#else
    void_it(x - 1, ok);
#endif
    if
    :: ok -> skip
    :: !ok ->
        if
        :: IS_VOID(x - 1) -> skip
        :: else -> if :: IS_OVER(k) -> goto again :: else -> atomic { assert(draft[x - 1] == SENT); goto again } fi
        fi
    fi;
    atomic { ok = 0; x = 0; g++; if :: g < MARKS -> goto previous :: else -> goto begin fi };
#endif
begin:
    atomic { g = 0; d = DRAFT(me, k, n); assert(draft[d] == NONE); draft[d] = TMP };
make_mark:
    atomic {
        if
        :: mark[MARK(k, g)] == 0 -> mark[MARK(k, g)] = d + 1; goto first
        :: else -> x = mark[MARK(k, g)]; goto second /* nobody changes a mark: reading it is one step with this */
        fi
    };
first:
#ifndef NO_LOOK
    if
    :: current != k -> goto late
    :: else
    fi;
#endif
    if
    :: skip
    :: goto late /* the disk is full */
    fi;
    deliver(d, ok);
    if :: ok -> goto again :: else fi;
    if
    :: IS_VOID(d) -> goto again
    :: else -> if :: IS_OVER(k) -> goto again :: else -> atomic { assert(draft[d] == SENT); goto again } fi
    fi;
late:
    skip;
#ifdef UNLINK_OWN
    d_step { if :: draft[d] == TMP -> draft[d] = GONE :: else fi };
#else
    void_it(d, ok);
#endif
    goto again;
second:
#ifndef NO_LOOK_HELP
    if
    :: current != k -> d_step { if :: draft[d] == TMP -> draft[d] = GONE :: else fi }; goto again
    :: else
    fi;
#endif
    deliver(x - 1, ok);
    if
    :: ok -> goto mine_goes
    :: else
    fi;
    if
    :: IS_VOID(x - 1) ->
#ifdef SAME_MARK
        atomic { mark[MARK(k, g)] = 0; goto make_mark }
#else
        atomic { x = 0; g++; if :: g < MARKS -> goto make_mark :: else -> goto mine_goes fi }
#endif
    :: else
    fi;
    if
    :: IS_OVER(k)
    :: else -> assert(draft[x - 1] == SENT)
    fi;
mine_goes:
    skip;
    d_step { if :: draft[d] == TMP -> draft[d] = GONE :: else fi };
    goto again
}

/* ---- a new slot ---------------------------------------------------------------------- */

#define SKIP(what) do :: i < DRAFTS && !(what) -> i++ :: else -> break od

inline void_before()
{
#ifdef NO_VOID
    skip
#else
    atomic { i = 0; SKIP(SLOT(i) <= k && draft[i] == TMP) };
    do
    :: i < DRAFTS -> atomic { if :: draft[i] == TMP -> draft[i] = VOIDED :: else fi; i++; SKIP(SLOT(i) <= k && draft[i] == TMP) }
    :: else -> break
    od
#endif
}
inline remove_void()
{
    atomic { i = 0; SKIP(SLOT(i) < k && draft[i] == VOID) };
    do
    :: i < DRAFTS -> atomic { if :: draft[i] == VOID -> draft[i] = GONE :: else fi; i++; SKIP(SLOT(i) < k && draft[i] == VOID) }
    :: else -> break
    od
}

proctype mover()
{
    byte k, i = 0;
    do
    :: atomic { current < LAST -> k = current };
        void_before();
#ifdef REMOVE_FIRST
        remove_void();
#endif
        skip;
        d_step { if :: current == k -> current = k + 1 :: else fi };
        remove_void();
        skip;
        d_step { i = 0; do :: i < MARK(k, 0) -> mark[i] = 0; i++ :: else -> break od; i = 0 }
    od
}

init
{
    byte s = 0;
    atomic {
        do :: s < SENDERS -> run sender(s); s++ :: else -> break od;
        run mover();
#ifdef MOVERS
        run mover()
#endif
    }
}
