/*
 * Sending several messages once, in one file: two ids, SENDERS processes that send both in one draft, or one of them in a
 * draft of its own, and a process that begins new slots.
 *
 * Models the steps of mq-spool(5), "Send once", for a draft of several messages: it gets its name in tmp/, then a mark of
 * each id is made that tells of it, until an id has a mark already, which is not in the draft then; the sender looks
 * whether the slot is still the current one, and renames the draft to ready/. No other process does that for it: whoever
 * finds the mark of such a draft makes the draft void, unless it was delivered. The rest is as in once.pml.
 *
 * Models lib/lifecycle/send_several.c, and help() and look_back() of lib/lifecycle/send_once.c where they find such a
 * mark. Each call of the file system is one step; a process may be passed over for good (killed) between any two.
 *
 * The rename to ready/ also stands for the one that appends the draft to a log, and for the one that commits a transaction: to
 * a topic the draft is a directory, and what it is filled with after its name was made void goes with that. That the limit of a
 * queue leaves no room is as a disk that is full.
 *
 * Checked: a send that is reported relies on a draft that was delivered and has that id; two drafts that were delivered and
 * have an id in common are of slots at least two apart; nothing of a slot is delivered once the slot after the next has
 * begun. With ROLES only the first sender sends both ids, and the others one.
 *
 * Mutations: HELP (whoever finds the mark of such a draft delivers it), UNNAMED (the marks are made before the draft has its
 * name), KEEP (an id that has a mark already is in the draft nevertheless), NO_LOOK (the sender does not look at the slot),
 * NO_PREVIOUS (nor at the marks of the slot before), ONE_VOID (a draft is void for the id alone that it was made void for),
 * BY_HANDLE (the sender delivers its draft under whatever name that has by then).
 */
#ifndef SENDERS
#define SENDERS 2
#endif
#ifndef LAST
#define LAST 3
#endif
#ifndef SENDS
#define SENDS 1 /* of one sender in one slot */
#endif
#define MARKS (SENDERS * SENDS + 1) /* of one id in one slot */
#define DRAFTS (SENDERS * (LAST + 1) * SENDS)
#define DRAFT(s, k, n) (((k) * SENDERS + (s)) * SENDS + (n))
#define SLOT(d) ((d) / (SENDERS * SENDS))
#define MARK(k, i, g) (((k) * 2 + (i)) * MARKS + (g))

#define NONE 0 /* a name is never used again */
#define TMP 1  /* tmp/once-… */
#define VOID 2 /* tmp/void-… */
#define SENT 3 /* renamed to ready/ */
#define GONE 4 /* removed */

byte current = 1;
byte mark[(LAST + 1) * 2 * MARKS]; /* sent/SLOT/ID: the draft, and 1 */
byte draft[DRAFTS];
byte has[DRAFTS];     /* which ids it has: 1, 2 or both */
bit several[DRAFTS];  /* its marks tell that it may have several */

/* ---- what must hold ------------------------------------------------------------------ */

inline check(d)
{
    assert(current < SLOT(d) + 2);
    e = 0;
    do
    :: e < DRAFTS ->
        assert(e == d || draft[e] != SENT || (has[e] & has[d]) == 0 || SLOT(e) + 2 <= SLOT(d) || SLOT(d) + 2 <= SLOT(e));
        e++
    :: else -> break
    od;
    e = 0
}

#define RELIES(d, i) assert(draft[d] == SENT && (has[d] & (1 << (i))))

/* ---- single calls -------------------------------------------------------------------- */

inline deliver(d, ok) { d_step { ok = (draft[d] == TMP); if :: ok -> draft[d] = SENT; check(d) :: else fi } }
#ifdef ONE_VOID
inline void_it(d, ok) { d_step { ok = (draft[d] == TMP); if :: ok && !several[d] -> draft[d] = VOID :: else fi } }
#else
inline void_it(d, ok) { d_step { ok = (draft[d] == TMP); if :: ok -> draft[d] = VOID :: else fi } }
#endif
#define IS_OVER(k) (current != (k))

/* ---- senders ------------------------------------------------------------------------- */

proctype sender(byte me)
{
    byte k = 0, n = 0, g = 0, x = 0, d = 0, e = 0, i = 0, left = 0;
    bit ok = 0;

again:
    atomic {
        x = 0; ok = 0; d = 0; g = 0; left = 0;
        if
        :: current > k -> k = current; n = 0
        :: else -> if :: n + 1 < SENDS -> n++ :: else -> current > k; k = current; n = 0 fi
        fi;
        d = DRAFT(me, k, n);
        if
#ifdef ROLES
        :: me > 0 -> i = 0
        :: me > 0 -> i = 1
        :: me == 0 -> i = 0; goto both
        :: me == 0 -> i = 1; goto both
#else
        :: i = 0
        :: i = 1
        :: i = 0; goto both
        :: i = 1; goto both
#endif
        fi
    };

    /* One id: as in once.pml. */
#ifndef NO_PREVIOUS
previous:
    atomic { x = mark[MARK(k - 1, i, g)]; if :: x == 0 -> goto begin :: else fi };
    void_it(x - 1, ok);
    if
    :: ok -> skip
    :: !ok ->
        if
        :: draft[x - 1] == VOID -> skip
        :: else -> if :: IS_OVER(k) -> goto again :: else -> atomic { RELIES(x - 1, i); goto again } fi
        fi
    fi;
    atomic { ok = 0; x = 0; g++; if :: g < MARKS -> goto previous :: else -> goto begin fi };
#endif
begin:
    atomic { g = 0; assert(draft[d] == NONE); draft[d] = TMP; has[d] = 1 << i };
make_mark:
    atomic {
        if
        :: mark[MARK(k, i, g)] == 0 -> mark[MARK(k, i, g)] = d + 1; goto first
        :: else -> x = mark[MARK(k, i, g)]; goto second
        fi
    };
first:
    if
    :: current != k -> goto late
    :: else
    fi;
    deliver(d, ok);
    if :: ok -> goto again :: else fi;
    if
    :: draft[d] == VOID -> goto again
    :: else -> if :: IS_OVER(k) -> goto again :: else -> atomic { RELIES(d, i); goto again } fi
    fi;
late:
    skip;
    void_it(d, ok);
    goto again;
second:
#ifndef HELP
    if
    :: several[x - 1] -> void_it(x - 1, ok); if :: ok -> goto dead :: else -> goto judge fi
    :: else
    fi;
#endif
    if
    :: current != k -> goto mine_goes
    :: else
    fi;
    deliver(x - 1, ok);
    if
    :: ok -> atomic { RELIES(x - 1, i); goto mine_goes }
    :: else
    fi;
judge:
    if
    :: draft[x - 1] == VOID -> goto dead
    :: else
    fi;
    if
    :: IS_OVER(k)
    :: else -> RELIES(x - 1, i)
    fi;
    goto mine_goes;
dead:
    atomic { x = 0; g++; if :: g < MARKS -> goto make_mark :: else -> goto mine_goes fi };
mine_goes:
    skip;
    d_step { if :: draft[d] == TMP -> draft[d] = GONE :: else fi };
    goto again;

    /* Both ids, `i` first. What has a mark already ends the draft. */
both:
    atomic { left = 2; several[d] = 1 };
#ifndef UNNAMED
    draft[d] = TMP;
#endif
next:
#ifndef NO_PREVIOUS
    if
    :: mark[MARK(k - 1, i, 0)] != 0 -> goto marked
    :: else
    fi;
#endif
    atomic {
        if
        :: mark[MARK(k, i, 0)] == 0 -> mark[MARK(k, i, 0)] = d + 1; has[d] = has[d] | (1 << i)
#ifdef KEEP
        :: else -> has[d] = has[d] | (1 << i)
#else
        :: else -> goto marked
#endif
        fi;
        left--;
        if
        :: left > 0 -> i = 1 - i; goto next
        :: else -> goto marked
        fi
    };
marked:
#ifdef UNNAMED
    atomic { if :: draft[d] == NONE -> draft[d] = TMP :: else fi };
#endif
    if
    :: has[d] == 0 -> goto mine_goes
    :: else
    fi;
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
#ifdef BY_HANDLE
    d_step { if :: draft[d] == VOID -> draft[d] = TMP :: else fi };
#endif
    deliver(d, ok);
    if
    :: ok
    :: else -> assert(draft[d] == VOID || draft[d] == GONE) /* no other process delivers it */
    fi;
    goto again
}

/* ---- a new slot ---------------------------------------------------------------------- */

#define SKIP(what) do :: i < DRAFTS && !(what) -> i++ :: else -> break od

proctype mover()
{
    byte k, i = 0;
    do
    :: atomic { current < LAST -> k = current; i = 0; SKIP(SLOT(i) <= k && draft[i] == TMP) };
        do
        :: i < DRAFTS -> atomic { if :: draft[i] == TMP -> draft[i] = VOID :: else fi; i++; SKIP(SLOT(i) <= k && draft[i] == TMP) }
        :: else -> break
        od;
        skip;
        d_step { if :: current == k -> current = k + 1 :: else fi };
        atomic { i = 0; SKIP(SLOT(i) < k && draft[i] == VOID) };
        do
        :: i < DRAFTS -> atomic { if :: draft[i] == VOID -> draft[i] = GONE :: else fi; i++; SKIP(SLOT(i) < k && draft[i] == VOID) }
        :: else -> break
        od;
        skip;
        d_step { i = 0; do :: i < MARK(k, 0, 0) -> mark[i] = 0; i++ :: else -> break od; i = 0 }
    od
}

init
{
    byte s = 0;
    atomic {
        do :: s < SENDERS -> run sender(s); s++ :: else -> break od;
        run mover()
    }
}
