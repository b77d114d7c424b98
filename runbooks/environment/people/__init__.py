"""What only people know, as they wrote it down: attestations, waivers, costs, who is on call, how users are told.

Each is a TOML file in the environment's folder of the inventory (or where ``people.folder`` says); a missing one says
nothing. `folder.Folder` reads them. Dates are days of UTC, and a day counts until its end.
"""
