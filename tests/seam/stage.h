/* What scenes are made of: messages sent and claimed. What fails here ends the program. */
#ifndef STAGE_H
#define STAGE_H

#include "scene.h"

#define STAGE_SECOND INT64_C(1000000)
#define STAGE_DAY (INT64_C(86400) * STAGE_SECOND)

struct letter {
    int priority;
    int64_t delay, ttl;
    const char *group; /* NULL: none */
};
#define LETTER_PLAIN ((struct letter){.priority = MQ_PRIORITY_DEFAULT})

void stage_must(int result, const char *what);
int stage_try_send(mq_queue *queue, const char *body, struct letter letter);
void stage_send(mq_queue *queue, const char *body, struct letter letter);

/* Three in one file: "one", "two", "three". */
void stage_send_three(mq_queue *queue, struct letter letter);

/* Whether three were sent so since it was last said whether they share their headers. */
bool stage_sent_three(void);
void stage_share_headers(bool shared);

/* Claim what comes next, and keep its receipt. */
void stage_claim(struct scene *scene, int64_t ack_timeout);
void stage_set(struct scene *scene, const char *key, const char *value);

#endif
