/* The configuration of a queue on the command line: KEY, KEY=VALUE, KEY=. Calls return an exit status. */
#ifndef SETTINGS_H
#define SETTINGS_H

/* mq-queue config: print the keys that are named, or set those that have a value. The first word is the queue. */
int settings_run(char **words, int count);

/* Report the first word that sets no known key, or sets a value that its key does not take. */
int settings_check(const char *queue, char **words, int count);

/* Set the keys. The words have passed settings_check. */
int settings_set(const char *queue, char **words, int count);

/* Print the value of each key; without words, every key and its value. With -j, one object. */
int settings_print(const char *queue, char **words, int count);

#endif
