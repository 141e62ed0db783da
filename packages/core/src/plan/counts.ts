/**
 * Number of visible tokens of MAE, LocalMIM, MFF, TEC and GreenMIM: floor(N * (1 - maskRatio)).
 *
 * In double precision on purpose: 100 tokens at ratio 0.9 keep 9, because 1 - 0.9 lies slightly below 0.1, and the
 * official code does the same (models_mae.py, random_masking).
 */
export const visibleCount = (cells: number, maskRatio: number): number => Math.floor(cells * (1 - maskRatio));
