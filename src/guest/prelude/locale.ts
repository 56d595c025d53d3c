// toLocaleString for numbers, as en-US writes them: QuickJS has no Intl and does not group thousands.
type NumberFormat = {
  readonly minimumFractionDigits?: number;
  readonly maximumFractionDigits?: number;
  readonly style?: string;
  readonly currency?: string;
  readonly useGrouping?: boolean;
};

const SIGNS: Readonly<Record<string, string>> = { USD: '$', EUR: '€', GBP: '£', JPY: '¥' };

function group(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+$)/g, ',');
}

function formatNumber(value: number, format: NumberFormat = {}): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '-∞';
  const percent = format.style === 'percent';
  const currency = format.style === 'currency';
  const least = format.minimumFractionDigits ?? (currency ? 2 : 0);
  const most = Math.max(format.maximumFractionDigits ?? (currency ? 2 : percent ? 0 : 3), least);
  const scaled = Math.abs(percent ? value * 100 : value);
  if (scaled >= 1e21) return String(value);
  const [whole = '0', fraction = ''] = scaled.toFixed(Math.min(most, 20)).split('.');
  let kept = fraction;
  while (kept.length > least && kept.endsWith('0')) kept = kept.slice(0, -1);
  const number = `${format.useGrouping === false ? whole : group(whole)}${kept === '' ? '' : `.${kept}`}`;
  const sign = value < 0 && /[1-9]/.test(number) ? '-' : '';
  const unit = currency ? (SIGNS[format.currency ?? ''] ?? `${format.currency ?? ''} `) : '';
  return `${sign}${unit}${number}${percent ? '%' : ''}`;
}

export function installLocale(): void {
  const define = (owner: object, value: unknown) =>
    Object.defineProperty(owner, 'toLocaleString', { value, writable: true, configurable: true, enumerable: false });
  define(Number.prototype, function (this: number, _locale?: unknown, format?: NumberFormat) {
    return formatNumber(Number(this), format);
  });
  define(BigInt.prototype, function (this: bigint) {
    const text = String(this);
    return text.startsWith('-') ? `-${group(text.slice(1))}` : group(text);
  });
}
