// @ts-check
/** The first place in [from, end) where *holds* is true, *end* if there is none. @param {number} from @param {number} end
 * @param {(at: number) => boolean} holds false up to some place, true from then on */
export function lowest(from, end, holds) {
  while (from < end) {
    const middle = (from + end) >> 1;
    if (holds(middle)) end = middle;
    else from = middle + 1;
  }
  return from;
}
