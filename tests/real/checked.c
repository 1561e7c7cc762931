/* What LLVM's unwinder wants of the C library it was built with, for a program with musl. */
int vfprintf(void *file, const char *format, __builtin_va_list arguments);

int __fprintf_chk(void *file, int flag, const char *format, ...) {
    __builtin_va_list arguments;
    (void)flag;
    __builtin_va_start(arguments, format);
    int written = vfprintf(file, format, arguments);
    __builtin_va_end(arguments);
    return written;
}
