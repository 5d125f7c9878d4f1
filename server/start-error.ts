/** Spanner could not be asked, or said no, before anybody could be served: one line for the user. */
export class StartError extends Error {}
