// Made from messages.proto by `npm run generate`; change that file, not this one.
import type { Codec, DecodeOptions } from 'protons-runtime';
import type { Uint8ArrayList } from 'uint8arraylist';
export interface WatchHeadsRequest {
    libraries: Uint8Array[];
}
export declare namespace WatchHeadsRequest {
    const codec: () => Codec<WatchHeadsRequest>;
    interface WatchHeadsRequestLibrariesFieldEvent {
        field: '$.libraries[]';
        index: number;
        value: Uint8Array;
    }
    function encode(obj: Partial<WatchHeadsRequest>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WatchHeadsRequest>): WatchHeadsRequest;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WatchHeadsRequest>): Generator<WatchHeadsRequestLibrariesFieldEvent>;
}
export interface WatchHeadsResponse {
    heads: Uint8Array[];
}
export declare namespace WatchHeadsResponse {
    const codec: () => Codec<WatchHeadsResponse>;
    interface WatchHeadsResponseHeadsFieldEvent {
        field: '$.heads[]';
        index: number;
        value: Uint8Array;
    }
    function encode(obj: Partial<WatchHeadsResponse>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WatchHeadsResponse>): WatchHeadsResponse;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WatchHeadsResponse>): Generator<WatchHeadsResponseHeadsFieldEvent>;
}
export interface NewHeadRequest {
    head: Uint8Array;
}
export declare namespace NewHeadRequest {
    const codec: () => Codec<NewHeadRequest>;
    interface NewHeadRequestHeadFieldEvent {
        field: '$.head';
        value: Uint8Array;
    }
    function encode(obj: Partial<NewHeadRequest>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<NewHeadRequest>): NewHeadRequest;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<NewHeadRequest>): Generator<NewHeadRequestHeadFieldEvent>;
}
export interface NewHeadResponse {
}
export declare namespace NewHeadResponse {
    const codec: () => Codec<NewHeadResponse>;
    function encode(obj: Partial<NewHeadResponse>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<NewHeadResponse>): NewHeadResponse;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<NewHeadResponse>): Generator<{}>;
}
