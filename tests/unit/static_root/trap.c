/* trap.c: a shared object that leaves a file behind when anything loads it. It stands where the host's NSS module, OpenSSL
 * provider and gconv module would stand. No libc: it must load in a root that holds nothing else. */
static long call3(long number, long a, long b, long c) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

__attribute__((constructor)) static void sprung(void) {
    call3(2, (long)"/trapped", 0102, 0644); /* open, O_CREAT | O_RDWR */
}
