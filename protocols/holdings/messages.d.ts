// Made from messages.proto by `npm run generate`; change that file, not this one.
import type { Codec, DecodeOptions } from 'protons-runtime';
import type { Uint8ArrayList } from 'uint8arraylist';
export interface AskHoldingsRequest {
    contents: Uint8Array[];
}
export declare namespace AskHoldingsRequest {
    const codec: () => Codec<AskHoldingsRequest>;
    interface AskHoldingsRequestContentsFieldEvent {
        field: '$.contents[]';
        index: number;
        value: Uint8Array;
    }
    function encode(obj: Partial<AskHoldingsRequest>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<AskHoldingsRequest>): AskHoldingsRequest;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<AskHoldingsRequest>): Generator<AskHoldingsRequestContentsFieldEvent>;
}
export interface AskHoldingsResponse {
    held: Uint8Array;
}
export declare namespace AskHoldingsResponse {
    const codec: () => Codec<AskHoldingsResponse>;
    interface AskHoldingsResponseHeldFieldEvent {
        field: '$.held';
        value: Uint8Array;
    }
    function encode(obj: Partial<AskHoldingsResponse>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<AskHoldingsResponse>): AskHoldingsResponse;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<AskHoldingsResponse>): Generator<AskHoldingsResponseHeldFieldEvent>;
}
export interface TellHoldingsRequest {
    held: Uint8Array[];
    gone: Uint8Array[];
}
export declare namespace TellHoldingsRequest {
    const codec: () => Codec<TellHoldingsRequest>;
    interface TellHoldingsRequestHeldFieldEvent {
        field: '$.held[]';
        index: number;
        value: Uint8Array;
    }
    interface TellHoldingsRequestGoneFieldEvent {
        field: '$.gone[]';
        index: number;
        value: Uint8Array;
    }
    function encode(obj: Partial<TellHoldingsRequest>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<TellHoldingsRequest>): TellHoldingsRequest;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<TellHoldingsRequest>): Generator<TellHoldingsRequestHeldFieldEvent | TellHoldingsRequestGoneFieldEvent>;
}
export interface TellHoldingsResponse {
}
export declare namespace TellHoldingsResponse {
    const codec: () => Codec<TellHoldingsResponse>;
    function encode(obj: Partial<TellHoldingsResponse>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<TellHoldingsResponse>): TellHoldingsResponse;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<TellHoldingsResponse>): Generator<{}>;
}
