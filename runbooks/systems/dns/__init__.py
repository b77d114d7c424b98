"""Questions to name servers, with "there is none" told apart from "could not be asked"."""
