"""A name server for the sandbox's names, by UDP and TCP on loopback, from one file that is read again when it changes.

It knows what its file says and nothing else: any other name does not exist. A file that can't be read makes every
answer SERVFAIL, as with a broken zone.
"""
