import { DataError } from '@mimlab/core';

/** Classes that are written out. */
const SHOWN = 40;

const listed = (classes: readonly string[]): string =>
  `${classes.slice(0, SHOWN).join(', ')}${classes.length > SHOWN ? `, ... (${classes.length} in all)` : ''}`;

/** Both lists, and what one has and the other lacks. */
function differences(first: readonly [who: string, classes: readonly string[]], second: readonly [who: string, classes: readonly string[]]): string {
  const only = ([who, classes]: typeof first, [, others]: typeof first): string[] => {
    const missing = classes.filter((name) => !others.includes(name));
    return missing.length === 0 ? [] : [`only ${who}: ${listed(missing)}`];
  };
  const lists = [first, second].map(([who, classes]) => `${who} (${classes.length}): ${listed(classes)}`);
  return [...lists, ...only(first, second), ...only(second, first)].map((line) => `\n  ${line}`).join('');
}

/**
 * Labels are numbers of classes in their lists: two lists that differ would make every number mean something else.
 * @throws DataError that shows both lists
 */
export function checkSameClasses(train: readonly string[], test: readonly string[], place: string): void {
  if (train.length === test.length && train.every((name, index) => name === test[index])) return;
  throw new DataError(`training and test images have different classes:${differences(['the training images', train], ['the test images', test])}`, {
    place,
    remedy: 'Give both splits the same class folders, or test images of another data set with the same classes.',
  });
}

/**
 * The number that the head has for each class of a data set.
 * @param head classes of the head by name; undefined where its file does not name them, then their number must agree
 * @param subset the data set may have some of the head's classes only
 * @throws DataError that shows both lists
 */
export function headClassOf(head: readonly string[] | undefined, headSize: number, data: readonly string[], subset: boolean, place: string): Int32Array {
  const same = head === undefined ? data.length === headSize : head.length === data.length && head.every((name, index) => name === data[index]);
  if (same) return Int32Array.from(data, (_, index) => index);
  const places = data.map((name) => head?.indexOf(name) ?? -1);
  if (head !== undefined && subset && places.every((at) => at >= 0)) return Int32Array.from(places);
  const names = head ?? Array.from({ length: headSize }, (_, index) => `#${index}`);
  const fits = head !== undefined && places.every((at) => at >= 0);
  throw new DataError(`the classes of the data set are not those of the head:${differences(['the head', names], ['the data set', data])}`, {
    place,
    remedy: fits ? `The head knows all of them: ask for it with '--set subset=true'.` : 'Evaluate on a data set with the classes that the model was trained on, or fine-tune it on this one.',
  });
}
