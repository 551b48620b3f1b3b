"""All of certtui in a throw-away folder: an ACME server of its own, a real certbot, no root.

``sandbox`` makes the folder, starts the server and gets the certificates; ``guard`` is the small
process that takes everything away again, whatever becomes of the one that asked for it; ``run``
is the demo itself, on top of a sandbox. Nothing here is imported by the rest of certtui.
"""
