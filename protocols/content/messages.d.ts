// Made from messages.proto by `npm run generate`; change that file, not this one.
import type { Codec, DecodeOptions } from 'protons-runtime';
import type { Uint8ArrayList } from 'uint8arraylist';
export interface Open {
    record: Uint8Array;
    codecs: number[];
    priority: number;
    traceparent: string;
}
export declare namespace Open {
    const codec: () => Codec<Open>;
    interface OpenRecordFieldEvent {
        field: '$.record';
        value: Uint8Array;
    }
    interface OpenCodecsFieldEvent {
        field: '$.codecs[]';
        index: number;
        value: number;
    }
    interface OpenPriorityFieldEvent {
        field: '$.priority';
        value: number;
    }
    interface OpenTraceparentFieldEvent {
        field: '$.traceparent';
        value: string;
    }
    function encode(obj: Partial<Open>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Open>): Open;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Open>): Generator<OpenRecordFieldEvent | OpenCodecsFieldEvent | OpenPriorityFieldEvent | OpenTraceparentFieldEvent>;
}
export interface Run {
    part: number;
    page: number;
    slot: number;
    level: number;
    first: number;
    count: number;
    top: boolean;
}
export declare namespace Run {
    const codec: () => Codec<Run>;
    interface RunPartFieldEvent {
        field: '$.part';
        value: number;
    }
    interface RunPageFieldEvent {
        field: '$.page';
        value: number;
    }
    interface RunSlotFieldEvent {
        field: '$.slot';
        value: number;
    }
    interface RunLevelFieldEvent {
        field: '$.level';
        value: number;
    }
    interface RunFirstFieldEvent {
        field: '$.first';
        value: number;
    }
    interface RunCountFieldEvent {
        field: '$.count';
        value: number;
    }
    interface RunTopFieldEvent {
        field: '$.top';
        value: boolean;
    }
    function encode(obj: Partial<Run>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Run>): Run;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Run>): Generator<RunPartFieldEvent | RunPageFieldEvent | RunSlotFieldEvent | RunLevelFieldEvent | RunFirstFieldEvent | RunCountFieldEvent | RunTopFieldEvent>;
}
export interface Range {
    id: number;
    runs: Run[];
    have: boolean;
}
export declare namespace Range {
    const codec: () => Codec<Range>;
    interface RangeIdFieldEvent {
        field: '$.id';
        value: number;
    }
    interface RangeRunsPartFieldEvent {
        field: '$.runs[].part';
        value: number;
        index: number;
    }
    interface RangeRunsPageFieldEvent {
        field: '$.runs[].page';
        value: number;
        index: number;
    }
    interface RangeRunsSlotFieldEvent {
        field: '$.runs[].slot';
        value: number;
        index: number;
    }
    interface RangeRunsLevelFieldEvent {
        field: '$.runs[].level';
        value: number;
        index: number;
    }
    interface RangeRunsFirstFieldEvent {
        field: '$.runs[].first';
        value: number;
        index: number;
    }
    interface RangeRunsCountFieldEvent {
        field: '$.runs[].count';
        value: number;
        index: number;
    }
    interface RangeRunsTopFieldEvent {
        field: '$.runs[].top';
        value: boolean;
        index: number;
    }
    interface RangeHaveFieldEvent {
        field: '$.have';
        value: boolean;
    }
    function encode(obj: Partial<Range>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Range>): Range;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Range>): Generator<RangeIdFieldEvent | RangeRunsPartFieldEvent | RangeRunsPageFieldEvent | RangeRunsSlotFieldEvent | RangeRunsLevelFieldEvent | RangeRunsFirstFieldEvent | RangeRunsCountFieldEvent | RangeRunsTopFieldEvent | RangeHaveFieldEvent>;
}
export interface Block {
    codec: number;
    storedLength: number;
    rawLength: number;
}
export declare namespace Block {
    const codec: () => Codec<Block>;
    interface BlockCodecFieldEvent {
        field: '$.codec';
        value: number;
    }
    interface BlockStoredLengthFieldEvent {
        field: '$.storedLength';
        value: number;
    }
    interface BlockRawLengthFieldEvent {
        field: '$.rawLength';
        value: number;
    }
    function encode(obj: Partial<Block>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Block>): Block;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Block>): Generator<BlockCodecFieldEvent | BlockStoredLengthFieldEvent | BlockRawLengthFieldEvent>;
}
export interface Have {
    manifest: boolean;
    units: Uint8Array;
}
export declare namespace Have {
    const codec: () => Codec<Have>;
    interface HaveManifestFieldEvent {
        field: '$.manifest';
        value: boolean;
    }
    interface HaveUnitsFieldEvent {
        field: '$.units';
        value: Uint8Array;
    }
    function encode(obj: Partial<Have>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Have>): Have;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Have>): Generator<HaveManifestFieldEvent | HaveUnitsFieldEvent>;
}
export interface Answer {
    id: number;
    status: number;
    blocks: Block[];
    code: string;
    message: string;
    retryAfterMs: number;
    have?: Have;
}
export declare namespace Answer {
    const codec: () => Codec<Answer>;
    interface AnswerIdFieldEvent {
        field: '$.id';
        value: number;
    }
    interface AnswerStatusFieldEvent {
        field: '$.status';
        value: number;
    }
    interface AnswerBlocksCodecFieldEvent {
        field: '$.blocks[].codec';
        value: number;
        index: number;
    }
    interface AnswerBlocksStoredLengthFieldEvent {
        field: '$.blocks[].storedLength';
        value: number;
        index: number;
    }
    interface AnswerBlocksRawLengthFieldEvent {
        field: '$.blocks[].rawLength';
        value: number;
        index: number;
    }
    interface AnswerCodeFieldEvent {
        field: '$.code';
        value: string;
    }
    interface AnswerMessageFieldEvent {
        field: '$.message';
        value: string;
    }
    interface AnswerRetryAfterMsFieldEvent {
        field: '$.retryAfterMs';
        value: number;
    }
    interface AnswerHaveManifestFieldEvent {
        field: '$.have.manifest';
        value: boolean;
    }
    interface AnswerHaveUnitsFieldEvent {
        field: '$.have.units';
        value: Uint8Array;
    }
    function encode(obj: Partial<Answer>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Answer>): Answer;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Answer>): Generator<AnswerIdFieldEvent | AnswerStatusFieldEvent | AnswerBlocksCodecFieldEvent | AnswerBlocksStoredLengthFieldEvent | AnswerBlocksRawLengthFieldEvent | AnswerCodeFieldEvent | AnswerMessageFieldEvent | AnswerRetryAfterMsFieldEvent | AnswerHaveManifestFieldEvent | AnswerHaveUnitsFieldEvent>;
}
