import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../testing/tiny-evaluation.js';
import { checkSameClasses, headClassOf, namedClasses, readClassList } from './class-lists.js';

const messageOf = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(DataError);
    return (error as Error).message;
  }
  throw new Error('nothing was refused');
};

describe('classes of training and test images', () => {
  it('may be the same', () => {
    expect(() => checkSameClasses(['cat', 'dog'], ['cat', 'dog'], 'pets')).not.toThrow();
  });

  it('are shown side by side where they differ, with what one lacks', () => {
    const message = messageOf(() => checkSameClasses(['cat', 'dog', 'eel'], ['cat', 'fox'], 'pets'));
    expect(message).toContain('pets: training and test images have different classes');
    expect(message).toContain('the training images (3): cat, dog, eel');
    expect(message).toContain('the test images (2): cat, fox');
    expect(message).toContain('only the training images: dog, eel');
    expect(message).toContain('only the test images: fox');
  });

  it('must stand in the same order, since labels are their numbers', () => {
    expect(messageOf(() => checkSameClasses(['cat', 'dog'], ['dog', 'cat'], 'pets'))).toContain('(2): dog, cat');
  });

  it('are cut where they are many', () => {
    const many = Array.from({ length: 1000 }, (_, i) => `c${i}`);
    expect(messageOf(() => checkSameClasses(many, ['x'], 'pets'))).toContain('c39, ... (1000 in all)');
  });
});

describe('classes of a head', () => {
  const head = ['ant', 'bee', 'cat', 'dog'];

  it('are those of the data where the lists are equal', () => {
    expect([...headClassOf(head, 4, head, false, 'model')]).toEqual([0, 1, 2, 3]);
  });

  it('are taken as they come where the file does not name them and their number fits', () => {
    expect([...headClassOf(undefined, 2, ['x', 'y'], false, 'model')]).toEqual([0, 1]);
  });

  it('are found by their names where the data list them in another order', () => {
    expect([...headClassOf(head, 4, ['dog', 'cat', 'bee', 'ant'], false, 'model')]).toEqual([3, 2, 1, 0]);
  });

  it('may be more than those of the data where that is asked for', () => {
    expect([...headClassOf(head, 4, ['bee', 'dog'], true, 'model')]).toEqual([1, 3]);
  });

  it('are shown with those of the data otherwise, with the way to ask for a part of them', () => {
    const message = messageOf(() => headClassOf(head, 4, ['bee', 'dog'], false, 'model'));
    expect(message).toContain('the head (4): ant, bee, cat, dog');
    expect(message).toContain('the data set (2): bee, dog');
    expect(message).toContain('--set subset=true');
  });

  it('are refused where the data have one that the head lacks, whatever was asked for', () => {
    expect(messageOf(() => headClassOf(head, 4, ['bee', 'fox'], true, 'model'))).toContain('only the data set: fox');
  });

  it('are numbers where the file does not name them and their number does not fit', () => {
    const message = messageOf(() => headClassOf(undefined, 3, ['x', 'y'], true, 'model'));
    expect(message).toContain('the head (3): #0, #1, #2');
    expect(message).toContain('--set classList=FILE');
  });
});

describe('names for the classes of a head', () => {
  it('are those of its file unless a list is given', () => {
    expect(namedClasses(['ant', 'bee'], 2, undefined, 'model')).toEqual(['ant', 'bee']);
    expect(namedClasses(undefined, 2, undefined, 'model')).toBeUndefined();
  });

  it('come from a list where its file has none', () => {
    expect(namedClasses(undefined, 2, ['ant', 'bee'], 'model')).toEqual(['ant', 'bee']);
  });

  it('are refused where the list has another length, both lists shown', () => {
    const message = messageOf(() => namedClasses(undefined, 3, ['ant', 'bee'], 'model'));
    expect(message).toContain('the head (3): #0, #1, #2');
    expect(message).toContain('the class list (2): ant, bee');
  });

  it('are refused where the file of the model says otherwise', () => {
    const message = messageOf(() => namedClasses(['bee', 'ant'], 2, ['ant', 'bee'], 'model'));
    expect(message).toContain('the head (2): bee, ant');
    expect(message).toContain('leave classList out');
  });
});

describe('a file of class names', () => {
  const root = temporaryFolder();
  const file = (text: string): string => {
    const path = join(root, 'classes.txt');
    writeFileSync(path, text);
    return path;
  };

  it('has one name a line, whatever ends the lines', async () => {
    expect(await readClassList(file('n01\nn02\n'))).toEqual(['n01', 'n02']);
    expect(await readClassList(file('great auk\r\nbee\r\n\r\n'))).toEqual(['great auk', 'bee']);
  });

  it('is refused with an empty line or a name that comes twice', async () => {
    await expect(readClassList(file(''))).rejects.toThrow(/line 1 is empty/);
    await expect(readClassList(file('ant\n\nbee\n'))).rejects.toThrow(/line 2 is empty/);
    await expect(readClassList(file('ant\nbee\nant\n'))).rejects.toThrow(/line 3 has 'ant', as line 1 has/);
  });

  it('is named where it is missing', async () => {
    await expect(readClassList(join(root, 'nowhere.txt'))).rejects.toThrow(/nowhere.txt: cannot be read/);
  });
});
