/* Untrusted text: what is UTF-8, where it may be cut, what a terminal sees of it, and how wide that is. */
#include "text/text.h"

#include "unit.h"

static bool is_utf8(const char *text)
{
    return text_is_utf8(text, strlen(text));
}

static void validity(void)
{
    EXPECT(is_utf8("") && is_utf8("plain") && is_utf8("\xC3\xA9") && is_utf8("\xE2\x82\xAC") &&
           is_utf8("\xF0\x9F\x98\x80"));
    EXPECT(is_utf8("\xF4\x8F\xBF\xBF"));  /* the last code point */
    EXPECT(!is_utf8("\xF4\x90\x80\x80")); /* one behind it */
    EXPECT(!is_utf8("\x80") && !is_utf8("\xFF") && !is_utf8("a\xC3"));
    EXPECT(!is_utf8("\xC0\xAF") && !is_utf8("\xE0\x80\xAF")); /* longer than they need be */
    EXPECT(!is_utf8("\xED\xA0\x80"));                         /* half of a surrogate pair */
    EXPECT(text_is_utf8("a\0b", 3));
}

static void cuts(void)
{
    EXPECT(text_whole("abc", 3) == 3 && text_whole("", 0) == 0);
    EXPECT(text_whole("a\xC3\xA9", 3) == 3 && text_whole("a\xC3\xA9", 2) == 1);
    EXPECT(text_whole("\xE2\x82\xAC", 3) == 3 && text_whole("\xE2\x82\xAC", 2) == 0);
    EXPECT(text_whole("a\xF0\x9F\x98\x80", 5) == 5 && text_whole("a\xF0\x9F\x98\x80", 4) == 1);
}

static void expect_escaped(const char *data, size_t size, const char *keep, const char *wanted)
{
    char text[TEXT_ESCAPED(64)];
    EXPECT(text_escape(data, size, keep, text) == strlen(wanted));
    EXPECT_TEXT(text, wanted);
}

static void escapes(void)
{
    expect_escaped("", 0, "", "");
    expect_escaped("a\nb\tc\rd", 7, "", "a\\nb\\tc\\rd");
    expect_escaped("a\nb\tc", 5, "\n\t", "a\nb\tc");
    expect_escaped("\x1b[31m\0\x7f", 7, "", "\\x1b[31m\\x00\\x7f");
    expect_escaped("\xC3\xA9\xFF", 3, "", "\xC3\xA9\\xff");
    expect_escaped("\xC2\x9B", 2, "", "\\xc2\\x9b"); /* a control character of two bytes */
}

static void widths(void)
{
    EXPECT(text_columns("") == 0 && text_columns("jobs") == 4 && text_columns("\xC3\xA9t\xC3\xA9") == 3);
    EXPECT(text_columns("\xE6\xBC\xA2\xE5\xAD\x97") == 4); /* two characters of two columns each */
    EXPECT(text_fit("jobs", 4) == 4 && text_fit("jobs", 3) == 3 && text_fit("jobs", 0) == 0);
    EXPECT(text_fit("\xC3\xA9t\xC3\xA9", 2) == 3);
    EXPECT(text_fit("\xE6\xBC\xA2\xE5\xAD\x97", 3) == 3); /* no half of one */
}

int main(void)
{
    validity();
    cuts();
    escapes();
    widths();
    return unit_failures > 0;
}
