/** Length of one unit in metres, by canonical spelling; the same table as `viewer.space.METRES`. */
export const METRES: Readonly<Record<string, number>> = {
  pm: 1e-12,
  Å: 1e-10,
  nm: 1e-9,
  µm: 1e-6,
  mm: 1e-3,
  cm: 1e-2,
  m: 1,
  km: 1e3,
};
