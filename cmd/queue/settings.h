/* A queue's settings on the command line: KEY, KEY=VALUE, KEY=. Calls return an exit status. */
#ifndef SETTINGS_H
#define SETTINGS_H

/* Refuse words that set no known key, before anything is done. */
int settings_check(const char *queue, char **words, int count);

/* Set the keys; what was checked cannot fail for its form. */
int settings_set(const char *queue, char **words, int count);

/* Print the value of each key; without words, all keys with theirs. With -j, one object. */
int settings_print(const char *queue, char **words, int count);

#endif
