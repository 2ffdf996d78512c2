/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a mount holds, as text that says the same at any time and from any
 * reader: tests/images keeps it beside images, tests/host makes it of them too.
 */
#ifndef DAXRMAP_TEST_LISTING_H
#define DAXRMAP_TEST_LISTING_H

char *dr_listing(void);		/* to be freed; NULL if it cannot be made */

#endif
