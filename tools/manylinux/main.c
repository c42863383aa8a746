// SwiftPM names the command's main otherwise, and has its linker rename it.
int SwzipCommand_main(int count, char **arguments);
int main(int count, char **arguments) { return SwzipCommand_main(count, arguments); }
