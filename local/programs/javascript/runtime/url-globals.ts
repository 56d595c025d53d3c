// URL and URLSearchParams: the gateway's guest has the same.
import '../../../../src/guest/prelude/url.ts';
