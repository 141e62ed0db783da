import type { PaperTable } from './paper-tables.js';

/** Data that a table's published columns were measured on and no package can bring along. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  table7: [
    'Data: ImageNet-1K to fine-tune, and ImageNet-C, -A, -R and -Sketch to judge, which you download from their authors.',
    `Point to them: 'mimlab evaluate RUN --protocol finetune --data /data/imagenet', then 'mimlab evaluate FINETUNED --protocol robustness --data /data/imagenet --set inC=/data/imagenet-c --set inA=/data/imagenet-a --set inR=/data/imagenet-r --set inSketch=/data/imagenet-sketch'.`,
  ],
  table8: [
    'Data: iNaturalist 2018 and 2019, which you download from their authors, as image folders train/CLASS/IMAGE and val/CLASS/IMAGE.',
    `Point to them: 'mimlab evaluate RUN --protocol finetune --data /data/inat2018 --set epochs=360'.`,
  ],
  table9: ['Data: ADE20K. mimlab has no segmentation heads and does not measure this table: mIoU and mAcc stay published only.', `To segment elsewhere: the weights of a run's checkpoint are safetensors under the names of the official release.`],
  table10: ['Data: COCO. mimlab has no detection heads and does not measure this table: AP stays published only.', `To detect elsewhere: the weights of a run's checkpoint are safetensors under the names of the official release.`],
};

/** Lines that say which data a table needs and how to point to them; none for tables that ImageNet alone, or a small set in its place, can fill. */
export const missingData = ({ id }: Pick<PaperTable, 'id'>): readonly string[] => NEEDED[id] ?? [];
