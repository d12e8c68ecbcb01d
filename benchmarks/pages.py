"""Goals 7-11."""


def in_the_page(server, wanted, quick):
    return iter(())
