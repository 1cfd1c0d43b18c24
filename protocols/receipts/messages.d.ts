// Made from messages.proto by `npm run generate`; change that file, not this one.
import type { Codec, DecodeOptions } from 'protons-runtime';
import type { Uint8ArrayList } from 'uint8arraylist';
export interface GiveReceiptRequest {
    receipt: Uint8Array;
}
export declare namespace GiveReceiptRequest {
    const codec: () => Codec<GiveReceiptRequest>;
    interface GiveReceiptRequestReceiptFieldEvent {
        field: '$.receipt';
        value: Uint8Array;
    }
    function encode(obj: Partial<GiveReceiptRequest>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<GiveReceiptRequest>): GiveReceiptRequest;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<GiveReceiptRequest>): Generator<GiveReceiptRequestReceiptFieldEvent>;
}
export interface GiveReceiptResponse {
}
export declare namespace GiveReceiptResponse {
    const codec: () => Codec<GiveReceiptResponse>;
    function encode(obj: Partial<GiveReceiptResponse>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<GiveReceiptResponse>): GiveReceiptResponse;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<GiveReceiptResponse>): Generator<{}>;
}
export interface ShowReceiptsRequest {
}
export declare namespace ShowReceiptsRequest {
    const codec: () => Codec<ShowReceiptsRequest>;
    function encode(obj: Partial<ShowReceiptsRequest>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<ShowReceiptsRequest>): ShowReceiptsRequest;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<ShowReceiptsRequest>): Generator<{}>;
}
export interface ShowReceiptsResponse {
    receipts: Uint8Array[];
}
export declare namespace ShowReceiptsResponse {
    const codec: () => Codec<ShowReceiptsResponse>;
    interface ShowReceiptsResponseReceiptsFieldEvent {
        field: '$.receipts[]';
        index: number;
        value: Uint8Array;
    }
    function encode(obj: Partial<ShowReceiptsResponse>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<ShowReceiptsResponse>): ShowReceiptsResponse;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<ShowReceiptsResponse>): Generator<ShowReceiptsResponseReceiptsFieldEvent>;
}
