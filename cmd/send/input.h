/* What mq-send sends: the words of the command line, files, or standard input. */
#ifndef INPUT_H
#define INPUT_H

#include <argp.h>

#include "send/sending.h"

struct input {
    char **words; /* the body; none: the files, or without files standard input */
    int word_count;
    const char **files; /* "-": standard input */
    int file_count;
    bool progress; /* show it, if the ids do not go to the terminal */
};

void input_add_file(struct input *input, const struct argp_state *state, const char *file);

/* Take the word that argp has just passed on, and all that follow, as the body. The first word of the body ends the
   options: `mq-send jobs convert -q 80 photo.jpg`. */
void input_take_body(struct input *input, struct argp_state *state);

/* Send everything. Returns an exit status. */
int input_send(const struct input *input, struct sending *sending);

#endif
