/* The transactions of a spool that are not finished. */
#ifndef TX_LIST_H
#define TX_LIST_H

/* Print them, as a table or with -j as objects: an exit status. */
int tx_list(void);

#endif
