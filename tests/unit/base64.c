/* Base64: the vectors of RFC 4648, every length and byte there and back, and what is malformed. */
#include "text/base64.h"

#include "unit.h"

static void vectors(void)
{
    static const char *const plain = "foobar";
    static const char *const encoded[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    for (size_t size = 0; size <= 6; size++) {
        char text[BASE64_SIZE(6) + 1] = "";
        base64_encode(plain, size, text);
        EXPECT(BASE64_SIZE(size) == strlen(encoded[size]));
        EXPECT_TEXT(text, encoded[size]);
    }
}

static void there_and_back(void)
{
    unsigned char data[256], back[258];
    char text[BASE64_SIZE(sizeof data)];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(255 - i);
    for (size_t size = 0; size <= sizeof data; size++) {
        size_t got = 999;
        base64_encode(data, size, text);
        EXPECT(base64_decode(text, BASE64_SIZE(size), back, &got) && got == size && memcmp(back, data, size) == 0);
    }
}

static void malformed(void)
{
    static const char *const texts[] = {
        "Z",    "Zg",   "Zg=",   "Zg===",  "====", "=g==", "Z===",     "Zm9v=",      "Zm=v",
        "Zm9-", "Zm_v", "Zm 9v", "Zm9v\n", "Zh==", "Zm9=", "Zg==Zm9v", "\xC3\xA9==", "Zm8=Zm8="};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char data[64];
        size_t size;
        if (!EXPECT(!base64_decode(texts[i], strlen(texts[i]), data, &size)))
            fprintf(stderr, "taken: \"%s\"\n", texts[i]);
    }
    char data[8];
    size_t size;
    EXPECT(!base64_decode("Zm9\0", 4, data, &size));
}

int main(void)
{
    vectors();
    there_and_back();
    malformed();
    return unit_failures > 0;
}
