"""Generated code for the CPU: one C file a program, compiled by the system's compiler, kept in a cache on the disk."""
