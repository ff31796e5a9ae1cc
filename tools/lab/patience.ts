/** What limits of waiting are multiplied with, for machines that are slow as a whole (guests without KVM): TORTIE_PATIENCE, 1. */
export const PATIENCE = Number(process.env.TORTIE_PATIENCE ?? 1);
